"""What is done to functions on SO(3) beside convolutions: pointwise functions, norms, means, other band limits.

Legend of axes: `B` batch, `C` channels, `l` degree, `m` from 0, `n` from `1 - N`; `L`, `M`, `N` of other limits.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Complex, Float
from torch import Tensor, nn

from learnsym.equivariant.sphere.transforms import SO3Transform


class SO3Pointwise(nn.Module):
    """A function of the values of a function on SO(3): to the grid, through the activation, and back to coefficients.

    Only the projection back to the band limit breaks equivariance, by the part of `a(h)` above it that aliases. A
    square on a grid of oversampling 3/2 has none. One ReLU of white noise errs by 20 % with the customary grid of
    `2 b` angles (oversampling 1), by 3.6 % with `3 b` and by 1.4 % with `4 b`, nearly whatever the band limit.

    Args:
        band_limit: number `b` of degrees.
        azimuthal: azimuthal band limit `N`; the band limit when None.
        activation: `a`; ReLU when None.
        oversampling: of the grid, see `SO3Transform`.

    Example:
        >>> h = ls.equivariant.S2Conv(1, 4, 3)(ls.equivariant.S2Transform(8, 8, 3)(torch.rand(2, 1, 8, 8)))
        >>> ls.equivariant.SO3Pointwise(3)(h).shape
        torch.Size([2, 4, 3, 3, 5])
    """

    def __init__(
        self,
        band_limit: int,
        azimuthal: int | None = None,
        activation: nn.Module | None = None,
        oversampling: float | int = 1.5,
    ) -> None:
        super().__init__()
        self.transform = SO3Transform(band_limit, azimuthal, oversampling)
        self.activation = nn.ReLU() if activation is None else activation

    def forward(self, h: Complex[Tensor, "B C l m n"]) -> Complex[Tensor, "B C l m n"]:
        """Coefficients of coefficients."""
        return self.transform(self.activation(self.transform.inverse(h)))


class SO3Norm(nn.Module):
    """Functions on SO(3) with mean 0 and variance 1 over all channels and rotations, then a scale and a shift of each.

        μ = mean_c h_c000,    σ² = mean_c Σ_lmn |h_clmn|² - μ²

    By Parseval's theorem these are sums of coefficients, so that it is exactly equivariant; as `nn.GroupNorm` with one
    group, it does not depend on the other examples of a batch.

    Args:
        channels: number of functions.
        eps: added to the variance.

    Example:
        >>> h = torch.randn(2, 4, 3, 3, 5, dtype=torch.complex64)
        >>> ls.equivariant.SO3Norm(4)(h).shape
        torch.Size([2, 4, 3, 3, 5])
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, h: Complex[Tensor, "B C l m n"]) -> Complex[Tensor, "B C l m n"]:
        """Coefficients of coefficients."""
        power = torch.view_as_real(h).square().sum((-1, -2))
        # coefficients with m < 0 are not kept, and are as large as those with m > 0
        power = (2 * power.sum((-2, -1)) - power[..., 0].sum(-1)).mean(-1)
        mean = mean_of(h).mean(-1)
        by = self.scale / (power - mean.square() + self.eps).sqrt()[:, None]
        return with_constant(h * by[:, :, None, None, None], self.shift - mean[:, None] * by)


class SO3Mean(nn.Module):
    """The mean of each function over all rotations: invariant features `(B, C)`, exactly."""

    def forward(self, h: Complex[Tensor, "B C l m n"]) -> Float[Tensor, "B C"]:
        """Means of coefficients."""
        return mean_of(h)


def mean_of(h: Complex[Tensor, "B C l m n"]) -> Float[Tensor, "B C"]:
    """The mean of each function, its coefficient at `l = m = n = 0`."""
    return h[..., 0, 0, h.shape[-1] // 2].real


def with_constant(
    h: Complex[Tensor, "B C l m n"], constant: Float[Tensor, "*B C"] | None
) -> Complex[Tensor, "B C l m n"]:
    """Functions plus a constant each."""
    if constant is None:
        return h
    middle = h.shape[-1] // 2
    return h + F.pad(constant[..., None, None, None], (middle, middle, 0, h.shape[-2] - 1, 0, h.shape[-3] - 1))


def resized(h: Complex[Tensor, "B C l m n"], band_limit: int, azimuthal: int) -> Complex[Tensor, "B C L M N"]:
    """The coefficients of other band limits: without the highest ones, or with zeros in their place."""
    degrees, orders = band_limit - h.shape[-3], azimuthal - (h.shape[-1] + 1) // 2
    if degrees == orders == 0:
        return h
    # a negative pad cuts; of real parts, since not every device pads complex numbers
    return torch.view_as_complex(
        F.pad(torch.view_as_real(h), (0, 0, orders, orders, 0, degrees, 0, degrees)).contiguous()
    )
