"""Smoothing of images and volumes that hides their lattice, which would tell angles."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

SMOOTHING, TAPS = 0.8, 3
"""Standard deviation in pixels, and taps to each side."""


def smoothed(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "B C *S"]:
    """Each axis convolved with a Gaussian; the border goes on as it is, so that the frame does not darken."""
    taps = torch.arange(-TAPS, TAPS + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (taps / SMOOTHING) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    for axis in range(2, x.dim()):
        rows = x.movedim(axis, -1)
        padded = F.pad(rows.reshape(-1, 1, rows.shape[-1]), (TAPS, TAPS), mode="replicate")
        x = F.conv1d(padded, kernel).view(rows.shape).movedim(-1, axis)
    return x
