"""Coloured squares, ellipses and hearts on black, in the manner of dSprites but drawn here."""

import math

import torch
from torch import Tensor

ANGLES = 32
SCALES = (0.22, 0.34)
"""Of the shapes, in half sides of the image."""
REACH = 0.56
"""Centres lie within this of the centre of the image, in half sides."""


def sprites(n: int, size: int, seed: int, part: str = "all") -> Tensor:
    """Images `(n, 3, size, size)` at random shape, size, colour, place and one of 32 orientations.

    `part` is "all", "seen" (centre in the upper left quadrant, orientation below 90°) or "unseen" (neither).
    """
    random = torch.Generator().manual_seed(seed)
    kind = torch.randint(3, (n,), generator=random)
    scale = SCALES[0] + (SCALES[1] - SCALES[0]) * torch.rand(n, generator=random)
    colour = 0.3 + 0.7 * torch.rand(n, 3, generator=random)
    turn = torch.randint(ANGLES, (n,), generator=random)
    centre = REACH * (2 * torch.rand(n, 2, generator=random) - 1)
    if part != "all":
        turn, centre = turn % (ANGLES // 4), -centre.abs() * torch.tensor([1.0, -1.0])
    if part == "unseen":
        turn = turn + ANGLES // 4 * torch.randint(1, 4, (n,), generator=random)
        corner = torch.randint(1, 4, (n,), generator=random)
        centre = centre * torch.stack([1 - 2 * (corner % 2), 1 - 2 * (corner // 2)], 1)
    return colour[:, :, None, None] * _masks(kind, scale, 2 * math.pi * turn / ANGLES, centre, size)[:, None]


def _masks(kind: Tensor, scale: Tensor, angle: Tensor, centre: Tensor, size: int, fine: int = 3) -> Tensor:
    """Shapes drawn at `fine` times the resolution, then averaged down."""
    u = (torch.arange(size * fine) + 0.5) * 2 / (size * fine) - 1
    x, y = u - centre[:, :1], -u - centre[:, 1:]
    x, y = x[:, None, :], y[:, :, None]
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    a, b = (cos * x + sin * y) / scale[:, None, None], (cos * y - sin * x) / scale[:, None, None]
    square = (torch.maximum(a.abs(), b.abs()) < 0.9).float()
    ellipse = (a.square() + (b / 0.6).square() < 1.2).float()
    heart = ((a.square() + b.square() - 0.8) ** 3 < 1.4 * a.square() * b**3).float()
    drawn = torch.stack([square, ellipse, heart], 1)[torch.arange(len(kind)), kind]
    return torch.nn.functional.avg_pool2d(drawn[:, None], fine)[:, 0]
