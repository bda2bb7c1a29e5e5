"""The normal distribution on the Lie algebra, wrapped onto the group."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree
from learnsym.distributions._coordinates import checked, coordinates, mean_log_haar, require_compact, require_lie
from learnsym.distributions._distribution import GroupDistribution, range_degrees
from learnsym.groups import Group

WINDINGS = 16
NODES = 2049


class WrappedNormal(GroupDistribution):
    """The centred normal distribution on the Lie algebra, moved to the group by the exponential.

        g = exp(sum_i a_i G_i),    a_i ~ N(0, s_i^2)

    On a compact group of one generator (SO(2), O(2)) the density is that of the wrapped normal, the sum over windings
    `sum_k N(a + 2 pi k; 0, s^2)`. On other groups `log_prob` is the normal density of the principal coordinates, which
    leaves out the mass that wraps around: exact where the exponential is injective, close where `s` is small.

    Args:
        group: a group with a Lie algebra of dimension `D`.
        scale: standard deviations `s`, shape `(*B, D)` or `(D,)`, in coordinates of the algebra, positive.
        validate_args: False skips the checks of values.

    Raises:
        ValueError: for a group without Lie algebra, a wrong shape, or scales that are not positive.

    Example:
        >>> law = ls.distributions.WrappedNormal(ls.groups.SO2(), torch.tensor([0.3]))
        >>> law.rsample((5,)).shape
        torch.Size([5, 2, 2])
    """

    def __init__(self, group: Group, scale: Float[Tensor, "*B D"], validate_args: bool | None = None) -> None:
        require_lie(group, "WrappedNormal")
        self.scale = checked(group, "scale", scale, validate_args, positive=True)
        super().__init__(group, scale.shape[:-1])

    @property
    def uniforms(self) -> int:
        return self.group.dim

    @property
    def is_circular(self) -> bool:
        """Whether the windings are summed: a compact group of one generator."""
        return self.group.dim == 1 and self.group.is_compact

    def coordinates_from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S D"]:
        """The coordinates `a = s * Phi^{-1}(u)` of the elements `from_uniform(u)`."""
        eps = torch.finfo(u.dtype).eps
        return self.scale * torch.special.ndtri(u.clamp(eps, 1 - eps))

    def from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S n n"]:
        return self.group.exp(self.coordinates_from_uniform(u))

    def tensors(self) -> dict[str, Tensor]:
        return {"scale": self.scale}

    def replace(self, tensors: Mapping[str, Tensor]) -> WrappedNormal:
        return WrappedNormal(self.group, tensors["scale"], validate_args=False)

    def log_prob(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"]:
        """Log density in exponential coordinates; `-inf` outside the identity component."""
        a, is_element = coordinates(self.group, value)
        log_density = self._wrapped(a) if self.is_circular else _log_normal(a, self.scale).sum(-1)
        return torch.where(is_element, log_density, -math.inf)

    def _wrapped(self, a: Float[Tensor, "*#S 1"]) -> Float[Tensor, "*#S"]:
        period = 2 * self.group.generators[0].cap
        k = torch.arange(-WINDINGS, WINDINGS + 1, dtype=a.dtype, device=a.device)
        return _log_normal(a + period * k, self.scale).logsumexp(-1)

    def entropy(self) -> Float[Tensor, "*B"]:
        """The entropy in exponential coordinates: by quadrature where the density wraps, else that of the normal."""
        if not self.is_circular:
            return (self.scale.log() + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
        half = (10 * self.scale).clamp(max=self.group.generators[0].cap)  # (*B, 1)
        a = half * torch.linspace(-1, 1, NODES, dtype=half.dtype, device=half.device)  # (*B, NODES)
        scale = self.scale.unsqueeze(-1)
        log_density = WrappedNormal(self.group, scale, validate_args=False)._wrapped(a.unsqueeze(-1))
        return torch.trapezoid(-log_density.exp() * log_density, a, dim=-1)

    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """`-entropy - E log(Haar density)`, up to the mass that wraps around on a group of more than one generator."""
        require_compact(self.group)
        return -self.entropy() - mean_log_haar(self)

    def widths(self) -> Float[Tensor, "*B D"]:
        """The full widths `2 sqrt(3) s` of the uniform law with the same standard deviation."""
        return 2 * math.sqrt(3) * self.scale

    def degrees(self, site: str, method: str) -> list[Degree]:
        """Half-widths `sqrt(3) s` of the uniform law with the same standard deviation, no more than the caps."""
        caps = torch.tensor([g.cap for g in self.group.generators], dtype=self.scale.dtype, device=self.scale.device)
        return range_degrees(self.group, (self.widths() / 2).minimum(caps), site, method)


def _log_normal(a: Tensor, scale: Tensor) -> Tensor:
    return -0.5 * (a / scale).square() - scale.log() - 0.5 * math.log(2 * math.pi)
