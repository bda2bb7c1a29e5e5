"""Clouds: scans that are off the origin, and points that are sampled more densely on one side.

Legend of axes: `B` clouds, `N` points, `M` points that are kept, `F` numbers per point, `d` dimension of space.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

KEPT, FEWEST = 0.7, 4
"""Share of the points that is kept, and the number below which none is left out."""
UNEVEN = 1.0
"""Standard deviation of the slope, over the size of a cloud, of the logarithm by which points are kept."""
JITTER = 0.02
"""Standard deviation of the displacement of points, as a share of the size of a cloud."""


def centred(x: Float[Tensor, "B N F"], dim: int) -> Float[Tensor, "B N F"]:
    """Clouds with the mean of their points at the origin.

    Example:
        >>> bool(centred(torch.rand(2, 5, 3) + 9, 3).mean(1).abs().max() < 1e-5)
        True
    """
    return torch.cat([x[..., :dim] - x[..., :dim].mean(1, keepdim=True), x[..., dim:]], -1)


def resampled(x: Float[Tensor, "B N F"], dim: int, random: torch.Generator) -> Float[Tensor, "B M F"]:
    """A part of the points, more to one side that is drawn for each cloud, each displaced a little."""
    size = size_of(x, dim)
    slope = UNEVEN * torch.randn(len(x), dim, 1, generator=random).to(x)
    towards = ((x[..., :dim] - x[..., :dim].mean(1, keepdim=True)) @ slope).squeeze(-1) / size
    # the largest of log weight plus Gumbel noise are a sample without replacement
    uniform = torch.rand(x.shape[:2], generator=random).to(x).clamp(min=1e-6)
    count = max(math.ceil(KEPT * x.shape[1]), min(FEWEST, x.shape[1]))
    rows = (towards - (-uniform.log()).log()).topk(count, 1).indices
    kept = x.gather(1, rows[..., None].expand(-1, -1, x.shape[2]))
    noise = JITTER * size * torch.randn(*kept.shape[:2], dim, generator=random).to(x)
    return torch.cat([kept[..., :dim] + noise, kept[..., dim:]], -1)


def size_of(x: Float[Tensor, "B N F"], dim: int) -> float:
    """Standard deviation of the points about their own mean, along one axis."""
    return max(float((x[..., :dim] - x[..., :dim].mean(1, keepdim=True)).std()), 1e-12)


def named_centre(x: Tensor, dim: int) -> str:
    """The offset in words."""
    numbers = ", ".join(f"{value:.2g}" for value in x[..., :dim].mean((0, 1)).tolist())
    return f"the clouds are centred ({numbers}) off the origin"


def named_sampling() -> str:
    """The sampling in words."""
    return "points are sampled more densely on one side"
