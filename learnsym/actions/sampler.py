"""Samplers made of gathers: differentiable any number of times, in reverse and forward mode, and under `vmap`.

`torch.nn.functional.grid_sample` is faster but has neither forward-mode nor second derivatives. Both read the same
grid: coordinates in [-1, 1] from edge to edge (`align_corners=False`), the last image axis first.

Legend of axes: `B` batch, `C` channels, `*S` size of the image (`d` axes), `*T` size of the grid, `d` 2 or 3.
"""

from __future__ import annotations

import itertools
import math

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor


def bilinear_sample(
    x: Float[Tensor, "B C *S"], grid: Float[Tensor, "B *T d"], padding: str = "zeros"
) -> Float[Tensor, "B C *T"]:
    """Multilinear interpolation of `x` at the points of `grid`: `sum over the 2^d corners of weight x value`.

    The twin of `grid_sample(x, grid, "bilinear", padding, align_corners=False)`, in two and three dimensions.

    Args:
        x: images or volumes.
        grid: where to read, in [-1, 1] from edge to edge.
        padding: value outside: `zeros`, `border` or `reflection`.

    Returns:
        The values read, one per point of the grid.

    Example:
        >>> x = torch.tensor([[[[0.0, 1.0]]]])
        >>> ls.actions.bilinear_sample(x, torch.zeros(1, 1, 1, 2))
        tensor([[[[0.5000]]]])
    """
    sizes = x.shape[2:]
    points = [_inside(_pixel(u, size), size, padding) for u, size in zip(grid.unbind(-1), reversed(sizes), strict=True)]
    low = [p.detach().floor() for p in points]
    out = torch.zeros((), dtype=x.dtype, device=x.device)
    for corner in itertools.product((0, 1), repeat=len(sizes)):
        weights = [p - q if c else 1 - (p - q) for p, q, c in zip(points, low, corner, strict=True)]
        indices = [q.long() + c for q, c in zip(low, corner, strict=True)]
        value, inside = _gather(x, indices)
        out = out + value * (math.prod(weights[1:], start=weights[0]) * inside).unsqueeze(1)
    return out


def nearest_sample(
    x: Shaped[Tensor, "B C *S"], grid: Float[Tensor, "B *T d"], fill: float | int = 0
) -> Shaped[Tensor, "B C *T"]:
    """The value of the nearest pixel, `fill` outside; for any dtype, integers included.

    Args:
        x: images, volumes or integer maps.
        grid: where to read, in [-1, 1] from edge to edge.
        fill: value outside the image.

    Example:
        >>> labels = torch.tensor([[[[3, 4]]]])
        >>> ls.actions.nearest_sample(labels, torch.tensor([[[[0.6, 0.0], [9.0, 0.0]]]]), fill=255)
        tensor([[[[  4, 255]]]])
    """
    axes = zip(grid.unbind(-1), reversed(x.shape[2:]), strict=True)
    value, inside = _gather(x, [_pixel(u, size).round().long() for u, size in axes])
    return value.masked_fill(~inside.unsqueeze(1), fill)


def _pixel(u: Tensor, size: int) -> Tensor:
    """Pixel index, centres at integers, of the normalised coordinate `u`."""
    return ((u + 1) * size - 1) / 2


def _inside(p: Tensor, size: int, padding: str) -> Tensor:
    """The pixel coordinate that is read in place of `p`."""
    if padding == "zeros":
        return p
    if padding == "reflection":  # a triangle wave of period 2 size, mirrored at the edges -1/2 and size - 1/2
        p = size - (size - torch.remainder(p + 0.5, 2 * size)).abs() - 0.5
    return p.clamp(0, size - 1)


def _gather(x: Tensor, indices: list[Int[Tensor, "B *T"]]) -> tuple[Shaped[Tensor, "B C *T"], Bool[Tensor, "B *T"]]:
    """`x` at integer indices (last axis first), and which of them lie inside."""
    sizes = list(reversed(x.shape[2:]))
    inside = torch.ones_like(indices[0], dtype=torch.bool)
    flat, stride = torch.zeros_like(indices[0]), 1
    for index, size in zip(indices, sizes, strict=True):
        inside = inside & (index >= 0) & (index < size)
        flat, stride = flat + index.clamp(0, size - 1) * stride, stride * size
    at = flat.flatten(1).unsqueeze(1).expand(-1, x.shape[1], -1)
    return x.flatten(2).gather(2, at).unflatten(2, flat.shape[1:]), inside
