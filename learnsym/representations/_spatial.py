"""Real spherical harmonics, and the Wigner matrices with which they turn.

Legend of axes: `l` degree, `P` points.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.representations._planar import determinant, powers_of_phase


def spherical_harmonics(l: int, x: Float[Tensor, "*P 3"]) -> Float[Tensor, "*P d"]:  # noqa: E741  the usual letter
    """Real harmonics of degree `l` at unit vectors, `m = -l ... l`, with `Σ_m Y_lm² = 2 l + 1`.

    Y_lm = sqrt((2 l + 1) (2 - δ_m0) (l - m)! / (l + m)!)  d^m P_l(z)/dz^m  Re or Im (x + i y)^m
    """
    z = x[..., 2]
    phases = powers_of_phase(l, x[..., 0], x[..., 1])
    legendre = [_legendre(l, m, z) for m in range(l + 1)]
    scale = [
        math.sqrt((2 * l + 1) * (2 if m else 1) * math.factorial(l - m) / math.factorial(l + m)) for m in range(l + 1)
    ]
    sines = [scale[m] * legendre[m] * phases[m][1] for m in range(l, 0, -1)]
    cosines = [scale[m] * legendre[m] * phases[m][0] for m in range(l + 1)]
    return torch.stack([*sines, *cosines], -1)


def wigner(l: int, g: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B d d"]:  # noqa: E741
    """`D` with `Y(R x) = D(R) Y(x)`, of the rotation `R = det(g) g`; read off at points that determine it."""
    points, inverse = _points(l)
    rotation = g * determinant(g)[..., None, None]
    moved = torch.einsum("...ij,pj->...pi", rotation, points.to(g))
    return (inverse.to(g) @ spherical_harmonics(l, moved)).mT


@lru_cache
def _points(l: int) -> tuple[Float[Tensor, "P 3"], Float[Tensor, "d P"]]:  # noqa: E741
    """Points of a spiral on the sphere, and the pseudo-inverse of the harmonics there."""
    count = 4 * (2 * l + 1)
    index = torch.arange(count, dtype=torch.float64) + 0.5
    z, angle = 1 - 2 * index / count, index * math.pi * (3 - math.sqrt(5))
    radius = (1 - z * z).sqrt()
    points = torch.stack([radius * angle.cos(), radius * angle.sin(), z], -1)
    return points, torch.linalg.pinv(spherical_harmonics(l, points))


def _legendre(l: int, m: int, z: Tensor) -> Tensor:  # noqa: E741
    """The `m`-th derivative of the Legendre polynomial `P_l`, by upward recurrence in the degree."""
    before, value = torch.zeros_like(z), torch.full_like(z, float(math.prod(range(2 * m - 1, 0, -2))))
    for n in range(m + 1, l + 1):
        before, value = value, ((2 * n - 1) * z * value - (n + m - 1) * before) / (n - m)
    return value
