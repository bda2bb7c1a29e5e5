"""Residual pathway priors: an equivariant kernel plus a free one, each with a Gaussian prior.

Legend of axes: `B` batch, `c` channels, `*S` pixels (none for a linear map).
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.projection import kernel_distance, projected

POINT = {"status": "no interval", "reason": ONE_TRAINING}


class ResidualPathway(nn.Module):
    """An exact layer plus a free kernel, which a prior keeps small unless the data ask for it.

        W = A + F,    A ~ N(0, v_exact (N / D) P / fan_in),    F ~ N(0, v_free I / fan_in)

    `P` projects onto the `D` dimensions of equivariant kernels among all `N` entries, so that an entry of either part
    has prior variance `v / fan_in` on average: 1 is that of usual initial weights. The sum is one convolution, of the
    cost of a plain one. The bias stays that of the exact layer. Under `objectives.WithPrior` the variances are two
    weight decays; they are fixed, since for a point estimate the best variance is 0: `VariationalPathway` learns them.

    Reference: Finzi, Benton, Wilson, "Residual pathway priors for soft equivariance constraints" (2021), arXiv
    2112.01388, whose prior is on both parts as two modules.

    Args:
        equivariant: `SteerableConv`, `GroupConv2d` or `EquivariantLinear`.
        free: a layer of the same shape without bias, such as `nn.Conv2d` or `nn.Linear`, whose kernel is added; zeros
            when None.
        exact_variance: `v_exact`, positive.
        free_variance: `v_free`, positive; small for a strong belief in the symmetry.

    Raises:
        ValueError: for a free layer of another shape or with a bias, or a variance that is not positive.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> layer = ls.relax.ResidualPathway(ls.equivariant.GroupConv2d(fields, fields, 3))
        >>> bool(layer.distance() < 1e-6)
        True
    """

    def __init__(
        self,
        equivariant: ExactLayer,
        free: nn.Module | None = None,
        *,
        exact_variance: float = 1.0,
        free_variance: float = 0.01,
    ) -> None:
        super().__init__()
        self.in_type, self.out_type = equivariant.in_type, equivariant.out_type
        self.equivariant = equivariant
        self.free = nn.Parameter(free_kernel(equivariant, free))
        self.exact_variance = checked_variance("exact_variance", exact_variance)
        self.free_variance = checked_variance("free_variance", free_variance)

    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The sum of both kernels."""
        return self.equivariant.kernel() + self.free

    def forward(self, x: Float[Tensor, "B c_in *S"]) -> Float[Tensor, "B c_out *S_out"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        return self.equivariant.applied(x, self.kernel())

    def penalty(self) -> Float[Tensor, ""]:
        """The negative log prior of both kernels, in nats, up to a constant."""
        kernel = self.equivariant.kernel()
        fan_in, dimension = self.free[0].numel(), sum(w.numel() for w in self.equivariant.weights.values())
        exact = kernel.square().sum() * (dimension / kernel.numel()) / self.exact_variance
        return 0.5 * fan_in * (exact + self.free.square().sum() / self.free_variance)

    def plain(self) -> nn.Module:
        """One plain layer with the sum as its kernel: the same function."""
        return with_kernel(self.equivariant, self.kernel())

    def exact(self) -> ExactLayer:
        """The exact layer with the kernel nearest to the sum."""
        return projected(self.equivariant, self.kernel(), self.equivariant.channel_bias())

    def distance(self) -> Float[Tensor, ""]:
        """What the projection removes: `|W - P W| / |W|`."""
        return kernel_distance(self.equivariant, self.kernel())

    def degrees(self, site: str) -> list[Degree]:
        """The share of the squared norm of the kernel that is equivariant: `|P W|² / |W|²`, 1 when exact."""
        share = 1 - self.distance().item() ** 2
        return [share_degree(site, self.equivariant, estimate=share, method="residual pathway", **POINT)]

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)

    def extra_repr(self) -> str:
        """Prior variances."""
        return f"exact_variance={self.exact_variance:g}, free_variance={self.free_variance:g}"


def share_degree(site: str, layer: ExactLayer, **more: Any) -> Degree:  # noqa: ANN401  fields of a degree
    """The degree of a layer that is equivariant in part."""
    group = str(layer.in_type.group)
    return Degree(site=site, group=group, generator="equivariant share", unit="1", notion="task", **more)


def with_kernel(layer: ExactLayer, kernel: Tensor) -> nn.Module:
    """The plain twin of an exact layer, with another kernel."""
    plain: Any = layer.plain()
    with torch.no_grad():
        plain.weight.copy_(kernel)
    return plain


def free_kernel(layer: ExactLayer, free: nn.Module | None) -> Tensor:
    """The kernel of a free layer of the shape of an exact one; zeros for None."""
    kernel = layer.kernel().detach()
    if free is None:
        return torch.zeros_like(kernel)
    weight = getattr(free, "weight", None)
    if not isinstance(weight, Tensor) or weight.shape != kernel.shape:
        given = type(free).__name__ if not isinstance(weight, Tensor) else tuple(weight.shape)
        raise ValueError(f"free: got {given}, must have a weight {tuple(kernel.shape)}; use equivariant.plain()")
    if getattr(free, "bias", None) is not None:
        raise ValueError(
            "free: has a bias, must have none, since only the kernel may leave the symmetry; set bias=False"
        )
    return weight.detach().clone()


def checked_variance(name: str, value: float) -> float:
    """The variance, or ValueError."""
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}: got {value}, must be positive and finite; 1 is that of usual initial weights")
    return value
