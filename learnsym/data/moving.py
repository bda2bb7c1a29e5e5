"""Move images and label maps by planted coordinates.

Legend of axes: `N` examples; the five coordinates are those of `COLUMNS`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from learnsym.actions import warp
from learnsym.groups import Similarity2

COLUMNS = ("translation_x", "translation_y", "rotation", "scale", "flip")
"""Coordinates of a planted transformation, in shortest sides of the image (twice), degrees, log factor, and 0 or 1."""


def elements(planted: Tensor) -> Tensor:
    """The matrices `g = exp(a) F`, `(N, 3, 3)`, of coordinates `(N, 5)`: a reflection `F`, then a similarity."""
    group = Similarity2()
    units = torch.tensor([part.per_unit for part in group.generators], dtype=planted.dtype)
    columns = [COLUMNS.index(part.name) for part in group.generators]
    sign = 1.0 - 2.0 * planted[:, 4]
    flip = torch.diag_embed(torch.stack([sign, torch.ones_like(sign), torch.ones_like(sign)], -1))
    return group.exp(planted[:, columns] * units) @ flip


def move(x: Tensor, planted: Tensor) -> Tensor:
    """Images `(N, C, H, W)` moved by coordinates `(N, 5)`: resampled once, bilinearly, zeros from outside."""
    return warp(x, elements(planted).to(x))
