"""Grids of group elements that lattice rotations permute.

Legend of axes: `K` elements, `n` size of their matrices.
"""

from __future__ import annotations

import itertools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group

CANDIDATES = 400


def grid(group: Group, functions: int, points: int | None = None) -> Float[Tensor, "K n n"]:
    """All elements of a finite group; else orbits `h r_s`, with `h` what maps pixels onto pixels, times components.

    Args:
        group: C_N, D_N, SO(2), O(2), SO(3) or O(3).
        functions: linearly independent functions that are sampled.
        points: number of orbits; enough for twice as many elements as functions when None.

    Raises:
        ValueError: for fewer elements than functions.
    """
    if group.order is not None:
        return group.components
    size = (4 if group.space == "plane" else 24) * len(group.components)
    orbits = math.ceil(2 * functions / size) if points is None else points
    if orbits * size < functions:
        raise ValueError(
            f"points: got {points}, must be at least {math.ceil(functions / size)} for {functions} coefficients"
        )
    rotations = _angles(4 * orbits) if group.space == "plane" else _rotations(orbits)
    return (group.components[:, None].double() @ rotations).flatten(0, 1)


def _angles(count: int) -> Float[Tensor, "K 2 2"]:
    angle = torch.arange(count, dtype=torch.float64) * (2 * math.pi / count)
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos, -sin, sin, cos], -1).unflatten(-1, (2, 2))


def _rotations(orbits: int) -> Float[Tensor, "K 3 3"]:
    """Orbits under the rotations of a cube; each starts as far as possible from those before, among random ones."""
    cube = rotations_of_cube()
    generator = torch.Generator().manual_seed(0)
    raw = torch.linalg.qr(torch.randn(CANDIDATES, 3, 3, generator=generator, dtype=torch.float64))[0]
    candidates = raw * torch.linalg.det(raw)[:, None, None]
    chosen = [candidates[0]]
    nearest = _closeness(cube, chosen[0], candidates)
    while len(chosen) < orbits:
        chosen.append(candidates[nearest.argmin()])
        nearest = torch.maximum(nearest, _closeness(cube, chosen[-1], candidates))
    return (cube[:, None] @ torch.stack(chosen)).flatten(0, 1)


def _closeness(cube: Tensor, start: Tensor, candidates: Tensor) -> Float[Tensor, "K"]:
    """The largest trace of `(h r)ᵀ c`, by which rotations lie close, over the rotations of the cube."""
    return torch.einsum("hij,kij->kh", cube @ start, candidates).amax(1)


def rotations_of_cube() -> Float[Tensor, "24 3 3"]:
    """The 24 rotations that map voxels onto voxels."""
    eye = torch.eye(3, dtype=torch.float64)
    signs = [torch.tensor(sign, dtype=torch.float64) for sign in itertools.product((1.0, -1.0), repeat=3)]
    signed = torch.stack([eye[list(order)] * s for order in itertools.permutations(range(3)) for s in signs])
    return signed[torch.linalg.det(signed) > 0]
