"""Smoothing of images and volumes that hides their lattice, which would tell angles."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

SMOOTHING, TAPS = 0.8, 3
"""Standard deviation in pixels, and taps to each side."""


def smoothed(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "B C *S"]:
    """Each axis convolved with a Gaussian."""
    return blurred(x, SMOOTHING)


def blurred(x: Float[Tensor, "B C *S"], width: float, axes: Sequence[int] = ()) -> Float[Tensor, "B C *S"]:
    """Axes, all when none is named, convolved with a Gaussian; the border goes on as it is, so that no frame darkens.

    Args:
        x: images or volumes.
        width: standard deviation in pixels.
        axes: of `x`, the first of space being 2.
    """
    most = max(math.ceil(TAPS * width), TAPS)
    taps = torch.arange(-most, most + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (taps / max(width, 1e-3)) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    for axis in axes or range(2, x.dim()):
        rows = x.movedim(axis, -1)
        padded = F.pad(rows.reshape(-1, 1, rows.shape[-1]), (most, most), mode="replicate")
        x = F.conv1d(padded, kernel).view(rows.shape).movedim(-1, axis)
    return x
