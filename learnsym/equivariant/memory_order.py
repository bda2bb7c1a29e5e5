"""Planes for convolutions on a CPU, where the order of numbers in memory decides the time.

Legend of axes: `B` batch, `c` channels, `H W` pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def fastest_by_pixels(x: Tensor) -> bool:
    """Whether convolutions are fastest with all channels of a pixel side by side: planes on a CPU, not in float64."""
    return x.device.type == "cpu" and x.dtype != torch.float64


def channels_last(x: Tensor) -> Tensor:
    """The same images or planar kernels in the order in which a CPU convolves them fastest.

    Volumes, and what is on other devices or in float64, stay as they are.
    """
    return x.movedim(1, -1).contiguous().movedim(-1, 1) if fastest_by_pixels(x) and x.ndim == 4 else x


def around(x: Tensor, before: int, after: int) -> Tensor:
    """Images `(B, c, H, W)` or volumes that wrap around, with more pixels before and after along each axis.

    The same as `nn.functional.pad(x, ..., mode="circular")`; for images on a CPU by rows and columns of whole pixels.
    """
    if not fastest_by_pixels(x) or x.ndim != 4:
        return nn.functional.pad(x, (before, after) * (x.ndim - 2), mode="circular")
    rows, columns = (torch.arange(-before, side + after).remainder(side) for side in x.shape[2:])
    return x.movedim(1, -1).index_select(1, rows).index_select(2, columns).movedim(-1, 1)
