"""Planes for convolutions on a CPU, where the order of numbers in memory decides the time.

Legend of axes: `B` batch, `c` channels, `H W` pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def channels_last(x: Tensor) -> Tensor:
    """The same images or planar kernels with all channels of a pixel side by side, in which a CPU convolves fastest.

    On other devices, and for volumes, as they are: there the order is left to the caller.
    """
    return x.movedim(1, -1).contiguous().movedim(-1, 1) if x.device.type == "cpu" and x.ndim == 4 else x


def around(x: Tensor, before: int, after: int) -> Tensor:
    """Images `(B, c, H, W)` or volumes that wrap around, with more pixels before and after along each axis.

    The same as `nn.functional.pad(x, ..., mode="circular")`; for images on a CPU by rows and columns of whole pixels.
    """
    if x.device.type != "cpu" or x.ndim != 4:
        return nn.functional.pad(x, (before, after) * (x.ndim - 2), mode="circular")
    rows, columns = (torch.arange(-before, side + after).remainder(side) for side in x.shape[2:])
    return x.movedim(1, -1).index_select(1, rows).index_select(2, columns).movedim(-1, 1)
