"""Tiles: a picture cut into 3 x 3, whose places a group of quarter turns and flips permutes.

Legend of axes: `B` batch, `P` the nine places, `K` elements of the group, `t` pixels of a tile.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.equivariant.lattice.orbits import check_lattice
from learnsym.groups import Group

PLACES = 9
CENTRE = 4
"""Places are counted row by row from the top left."""


def cut(x: Float[Tensor, "B C H W"], size: int) -> Float[Tensor, "B P C t t"]:
    """Nine tiles of `size` pixels a side: in the corners, in the middle of the sides, in the centre.

    Raises:
        ValueError: for pictures that are not square, or on which such tiles have no place that turns keep.
    """
    height, width = x.shape[-2:]
    if height != width or 3 * size > height or (height - size) % 2:
        raise ValueError(
            f"x: got pictures of {height} x {width} pixels for 3 x 3 tiles of {size}, must be square with sides of at "
            f"least {3 * size} that differ from {size} by an even number; resize them"
        )
    starts = [i * (height - size) // 2 for i in range(3)]
    return torch.stack([x[..., top : top + size, left : left + size] for top in starts for left in starts], 1)


@lru_cache
def place_moves(group: Group) -> Int[Tensor, "K P"]:
    """`moves[g, s]` is the place to which the element number `g` moves the place `s`: `cut(g·x)[g s] = g·cut(x)[s]`.

    Raises:
        ValueError: for a group that does not map pixels to pixels.
    """
    check_lattice(group)
    places = torch.arange(PLACES)
    points = torch.stack([places % 3 - 1, 1 - places // 3], -1).to(group.components)  # x right, y up
    moved = torch.einsum("kij,pj->kpi", group.components, points).round().long()
    return 3 * (1 - moved[..., 1]) + moved[..., 0] + 1
