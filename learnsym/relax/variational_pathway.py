"""Residual pathways with a Gaussian posterior, whose prior variances are learned.

Legend of axes: `B` batch, `c` channels, `*S` pixels (none for a linear map).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.projection import (
    ExactLayer,
    kernel_distance,
    nearest_kernel,
    projected,
)
from learnsym.relax.residual_pathway import free_kernel, share_degree, with_kernel

DRAWS = 200
"""Draws from the posterior for an interval, in pairs that mirror each other, from the global generator."""
CHUNK = 20
"""Draws at a time."""


class VariationalPathway(nn.Module):
    """An exact layer plus a free kernel, with independent normal posteriors and the prior variances that fit them best.

        W = A + (1 - P) F,    q(w_i) = N(μ_i, s_i²),    p(w_i) = N(0, v)

    with one `v` for each block of weights of the exact layer and one for the free kernel, of which only what is not
    equivariant counts: otherwise either path could do the work of the other, and `v` would say nothing. Given the
    posterior, the best variance is `v = mean(μ² + s²)`, and the KL divergence at it is

        KL = D/2 log v - Σ_i log s_i

    so nothing has to be chosen: a path that the data do not ask for has `v` close to 0 at little cost. One kernel is
    drawn for each batch in training; in evaluation it is the mean. Use it with `objectives.WithPrior`.

    References: Finzi, Benton, Wilson (2021), arXiv 2112.01388, with fixed variances; van der Ouderaa, Immer, van der
    Wilk (2023), arXiv 2310.06131, who learn them by a Laplace approximation, not by this bound.

    Args:
        equivariant: `SteerableConv`, `GroupConv2d` or `EquivariantLinear`: the means of its part.
        free: a layer of the same shape without bias with the means of the free part; zeros when None.
        std: standard deviations to start with, in units of `1 / sqrt(fan_in)`.

    Raises:
        ValueError: for a free layer of another shape or with a bias.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> layer = ls.relax.VariationalPathway(ls.equivariant.GroupConv2d(fields, fields, 3))
        >>> layer.degrees("layer:0")[0].low < layer.degrees("layer:0")[0].high
        True
    """

    def __init__(self, equivariant: ExactLayer, free: nn.Module | None = None, *, std: float = 0.1) -> None:
        super().__init__()
        self.in_type, self.out_type = equivariant.in_type, equivariant.out_type
        self.equivariant = equivariant
        self.free = nn.Parameter(free_kernel(equivariant, free))
        start = math.log(std / self.free[0].numel() ** 0.5)
        self.exact_log_std = nn.ParameterDict(
            {name: nn.Parameter(torch.full_like(weight, start)) for name, weight in equivariant.weights.items()}
        )
        self.free_log_std = nn.Parameter(torch.full_like(self.free, start))

    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The mean of the kernel."""
        return self.equivariant.kernel() + self._broken(self.free)

    def _broken(self, free: Tensor) -> Tensor:
        return free - nearest_kernel(self.equivariant, free)

    def draw(self) -> Float[Tensor, "c_out c_in *S"]:
        """A kernel from the posterior."""
        exact = self._exact({name: torch.randn_like(scale) for name, scale in self.exact_log_std.items()})
        broken = self._broken(self.free + self.free_log_std.exp() * torch.randn_like(self.free))
        return self.equivariant.kernel() + exact + broken

    def _exact(self, noise: Mapping[str, Tensor]) -> Tensor:
        """By how much the equivariant part of a draw differs from its mean."""
        return self.equivariant.kernel_of({name: self.exact_log_std[name].exp() * v for name, v in noise.items()})

    def _shares(self, noise: Mapping[str, Tensor], free: Tensor) -> Float[Tensor, "2"]:
        """The equivariant shares of a draw and of its mirror image about the mean, for one projection."""
        around = self._exact(noise), self._broken(self.free_log_std.exp() * free)
        pairs = zip((self.equivariant.kernel(), self._broken(self.free)), around, strict=True)
        exact, broken = (torch.stack([(m + d).square().sum(), (m - d).square().sum()]) for m, d in pairs)
        return exact / (exact + broken)

    def forward(self, x: Float[Tensor, "B c_in *S"]) -> Float[Tensor, "B c_out *S_out"]:
        """The fields of the output, with a drawn kernel in training and the mean otherwise."""
        check_channels(self.in_type, x)
        return self.equivariant.applied(x, self.draw() if self.training else self.kernel())

    def penalty(self) -> Float[Tensor, ""]:
        """The KL divergence from the prior to the posterior at the best prior variances, in nats."""
        terms = [divergence(weight, self.exact_log_std[name]) for name, weight in self.equivariant.weights.items()]
        return torch.stack([*terms, divergence(self.free, self.free_log_std)]).sum()

    def variances(self) -> dict[str, float]:
        """The learned prior variances, `mean(μ² + s²)`, of the blocks of the exact layer and of the free kernel."""
        exact = {f"exact {name}": (w, self.exact_log_std[name]) for name, w in self.equivariant.weights.items()}
        pairs = {**exact, "free": (self.free, self.free_log_std)}
        return {name: best_variance(*pair).item() for name, pair in pairs.items()}

    def plain(self) -> nn.Module:
        """One plain layer with the mean of the sum as its kernel: the same function as in evaluation."""
        return with_kernel(self.equivariant, self.kernel())

    def exact(self) -> ExactLayer:
        """The exact layer with the kernel nearest to the mean of the sum."""
        return projected(self.equivariant, self.kernel(), self.equivariant.channel_bias())

    def distance(self) -> Float[Tensor, ""]:
        """What the projection removes of the mean: `|W - P W| / |W|`."""
        return kernel_distance(self.equivariant, self.kernel())

    @torch.no_grad()
    def degrees(self, site: str) -> list[Degree]:
        """The equivariant share `|P W|² / |W|²` of the kernel: mean and 90 % interval of the posterior."""
        count = DRAWS // 2
        exact = {name: torch.randn(count, *scale.shape).to(scale) for name, scale in self.exact_log_std.items()}
        free = torch.randn(count, *self.free.shape).to(self.free)
        shares = torch.vmap(self._shares, chunk_size=CHUNK)(exact, free).double()
        low, high = shares.quantile(torch.tensor([0.05, 0.95], device=shares.device).double()).tolist()
        interval = {"estimate": shares.mean().item(), "low": low, "high": high}
        return [share_degree(site, self.equivariant, method="variational pathway", **interval)]

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)


def best_variance(mean: Tensor, log_std: Tensor) -> Float[Tensor, ""]:
    """The prior variance with the least divergence: `mean(μ² + s²)`."""
    return (mean.square() + (2 * log_std).exp()).mean()


def divergence(mean: Tensor, log_std: Tensor) -> Float[Tensor, ""]:
    """`KL(N(μ, s²) | N(0, v))` at the best `v`: `D/2 log v - Σ log s`, never negative."""
    return 0.5 * mean.numel() * best_variance(mean, log_std).log() - log_std.sum()
