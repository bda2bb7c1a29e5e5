"""Poses of images under rotation, by a network on polar coordinates, where a rotation is a cyclic shift.

Legend of axes: `B` images, `C` channels, `R` radii, `A` angles, `W` width.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.measure.pose.networks import RIM
from learnsym.measure.pose.smoothing import smoothed

ANGLES, RADII = 36, 10
SIDE = 28
"""Shorter side in pixels to which larger images are reduced."""


class PolarNetwork(nn.Module):
    """Circular convolutions over angles: the scores of the poses of a rotated image are the shifted scores.

    Args:
        channels: channels of the image times `RADII`.
        width: feature channels.
        dropout: share of features left out in training.
    """

    def __init__(self, channels: int, width: int = 32, dropout: float = 0.35) -> None:
        super().__init__()
        widths, dilations = (channels, width, width), (1, 1, 3)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(w, width, 9, padding=4 * d, dilation=d, padding_mode="circular")
            for w, d in zip(widths, dilations, strict=True)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(1, width) for _ in dilations)
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Conv1d(width, 1, 1)

    def forward(self, p: Float[Tensor, "B C A"]) -> Float[Tensor, "B A"]:
        """One score per angle."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            p = self.dropout(F.gelu(norm(convolution(p))))
        return self.score(p).squeeze(1)


def reduced(x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Images reduced to at most `SIDE` pixels and smoothed by a Gaussian."""
    if min(x.shape[2:]) > SIDE:
        factor = SIDE / min(x.shape[2:])
        size = [round(n * factor) for n in x.shape[2:]]
        x = F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)
    return smoothed(x)


def polar(
    x: Float[Tensor, "B C H W"], angle: Float[Tensor, "B"], distortion: Float[Tensor, "B 2 3"] | None = None
) -> Float[Tensor, "B CR A"]:
    """Images turned counter-clockwise by `angle` (radians), read on circles: one interpolation, no corner.

    Args:
        x: images, reduced and smoothed.
        angle: of each image.
        distortion: a small affine map of the points that are read, for training; the identity when None.
    """
    theta = torch.arange(ANGLES, dtype=x.dtype, device=x.device) * (2 * math.pi / ANGLES) - angle[:, None]
    radius = ((torch.arange(RADII, dtype=x.dtype, device=x.device) + 0.7) / RADII * RIM)[:, None]
    # y points up in the group's convention and down in the sampling grid
    points = torch.stack([radius * theta.cos()[:, None], -radius * theta.sin()[:, None]], -1)
    if distortion is not None:
        points = torch.einsum("bij,braj->brai", distortion[..., :2], points) + distortion[:, None, None, :, 2]
    height, width = x.shape[2:]
    side = min(height, width)
    grid = points * points.new_tensor([side / width, side / height])
    return F.grid_sample(x, grid, align_corners=False).flatten(1, 2)


def distortions(count: int, generator: torch.Generator) -> Float[Tensor, "B 2 3"]:
    """Random stretches along random axes and shifts by half a pixel: they move no pose and slow down memorising."""
    axis = 2 * math.pi * torch.rand(count, generator=generator)
    stretch = 0.06 * torch.randn(count, generator=generator)
    shift = (2 * torch.rand(count, 2, generator=generator) - 1) * (0.5 / (SIDE / 2))
    c, s = stretch * axis.cos(), stretch * axis.sin()
    return torch.stack([torch.stack([1 + c, s, shift[:, 0]], -1), torch.stack([s, 1 - c, shift[:, 1]], -1)], 1)
