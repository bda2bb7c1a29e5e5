"""Pools over pixels that commute with a group.

Legend of axes: `B` batch, `c` channels, `*S` pixels or voxels, `k` kernel.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.steerable.conv import CONVOLUTIONS

MEANS: dict[str, type[nn.Module]] = {"plane": nn.AdaptiveAvgPool2d, "space": nn.AdaptiveAvgPool3d}
POOLS: dict[str, type[nn.Module]] = {"plane": nn.AvgPool2d, "space": nn.AvgPool3d}


class AveragePool(nn.Module):
    """Antialiased average pooling: a Gaussian blur, axis by axis, of which every `stride`-th pixel is kept.

    Exact for lattice rotations at input sizes `i` with `(i + 2 padding - k) % stride == 0`; with the default padding
    where `(i - 1) % stride == 0`.

    Args:
        field_type: fields of input and output.
        stride: step between the pixels that are kept.
        sigma: standard deviation of the blur in pixels; the kernel has `k = 2 round(4 sigma) + 1` pixels.
        padding: zeros around; half of the kernel when None.

    Raises:
        ValueError: for a stride below 1 or a sigma that is not positive.

    Reference: Weiler, Cesa (2019), arXiv 1911.08251.

    Example:
        >>> fields = ls.equivariant.FieldType.trivial(ls.groups.SO2(), 2)
        >>> ls.equivariant.AveragePool(fields)(torch.rand(1, 2, 9, 9)).shape
        torch.Size([1, 2, 5, 5])
    """

    def __init__(self, field_type: FieldType, stride: int = 2, sigma: float = 0.66, padding: int | None = None) -> None:
        super().__init__()
        if stride < 1:
            raise ValueError(f"stride: got {stride}, must be at least 1; 2 is usual")
        if not sigma > 0:
            raise ValueError(f"sigma: got {sigma}, must be positive; 0.66 suits a stride of 2")
        self.in_type = self.out_type = field_type
        half = round(4 * sigma)
        self.stride, self.padding = stride, half if padding is None else padding
        t = torch.arange(-half, half + 1, dtype=torch.float64)
        weights = (-0.5 * (t / sigma) ** 2).exp()
        self.weights = Constant(weights / weights.sum())
        self.convolution, self.module, dim = CONVOLUTIONS[field_type.group.space]
        # one step for all axes, so that no axis is ahead of the others in between (`measure.exact_sizes`)
        self.kept: Any = cast(Any, POOLS[field_type.group.space])(1, stride)
        self.axes = [_axis(axis, dim, len(weights), self.padding) for axis in range(dim)]

    def forward(self, x: Tensor) -> Tensor:
        """The pooled fields, `(B, c, *T)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        weights, channels = self.weights().to(x.dtype), x.shape[1]
        for size, padding in self.axes:
            kernel = weights.view(1, 1, *size).expand(channels, 1, *size)
            x = self.convolution(x, kernel, groups=channels, padding=padding)
        return self.kept(x)

    def plain(self) -> nn.Module:
        """Fixed convolutions of each channel, one along each axis, and a pool of one pixel."""
        return nn.Sequential(*[self._plain_axis(size, padding) for size, padding in self.axes], self.kept)

    def _plain_axis(self, size: tuple[int, ...], padding: tuple[int, ...]) -> nn.Module:
        weights, channels, module = self.weights(), self.in_type.size, cast(Any, self.module)
        conv = module(channels, channels, size, groups=channels, bias=False, padding=padding).to(weights)
        with torch.no_grad():
            conv.weight.copy_(weights.view(1, 1, *size).expand_as(conv.weight))
        return conv.requires_grad_(False)

    def extra_repr(self) -> str:
        """Type and size."""
        return f"{self.in_type}, kernel_size={len(self.weights.value)}, stride={self.stride}, padding={self.padding}"


def _axis(axis: int, dim: int, size: int, padding: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Size of a kernel along one axis, and its padding."""
    here = [other == axis for other in range(dim)]
    return tuple(size if h else 1 for h in here), tuple(padding if h else 0 for h in here)


class GlobalAveragePool(nn.Module):
    """The mean over all pixels: vectors `(B, c)` that the group only mixes."""

    def __init__(self, field_type: FieldType) -> None:
        super().__init__()
        self.in_type = self.out_type = field_type

    def forward(self, x: Tensor) -> Tensor:
        """The means, `(B, c)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        return x.flatten(2).mean(2)

    def plain(self) -> nn.Module:
        """`nn.AdaptiveAvgPool2d` or `3d`, flattened."""
        module: Any = MEANS[self.in_type.group.space]
        return nn.Sequential(module(1), nn.Flatten())

    def extra_repr(self) -> str:
        """Type."""
        return repr(self.in_type)
