"""Scalar functions on the pixels or voxels of a kernel: rings times circular or spherical harmonics.

Legend of axes: `R` rings, `d` harmonics of a degree, `*S` pixels `(k, k)` or voxels `(k, k, k)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.representations import spherical_harmonics

WIDTH = 0.6
"""Standard deviation of a ring in pixels (Weiler and Cesa 2019, arXiv 1911.08251)."""


@dataclass(frozen=True, eq=False)
class Multiplets:
    """Functions `exp(-(|u| - r)² / 2 σ²) Y_j(u / |u|)` of one degree `j`, each multiplet of norm `sqrt(d)`."""

    degree: int
    values: Float[Tensor, "R d *S"]


def multiplets(group: Group, kernel_size: int, band_limit: int | None = None) -> list[Multiplets]:
    """The functions of all rings, by degree.

    Rings have the radii of the pixels on an axis; a ring of radius `r` carries degrees up to `2 r`, above which its
    samples alias.

    Args:
        group: which acts on the plane or on space.
        kernel_size: pixels along an axis.
        band_limit: highest degree; only that of the rings when None.

    Raises:
        ValueError: for a size below 1, or a band limit that is negative or above that of the grid.
    """
    if kernel_size < 1:
        raise ValueError(f"kernel_size: got {kernel_size}, must be at least 1; 3, 5 and 7 are usual")
    highest = kernel_size - 1
    if band_limit is not None and not 0 <= band_limit <= highest:
        raise ValueError(
            f"band_limit: got {band_limit}, must be in 0 ... {highest} for a kernel of {kernel_size} pixels"
        )
    u = positions(kernel_size, 3 if group.space == "space" else 2)
    radii = [(kernel_size - 1) / 2 - i for i in range((kernel_size + 1) // 2)][::-1]
    by_degree = []
    for degree in range((highest if band_limit is None else band_limit) + 1):
        angular = _angular(degree, u)
        rings = [angular * _ring(u, radius) for radius in radii if degree <= 2 * radius]
        nonzero = [_normalised(ring) for ring in rings if ring.abs().max() > 1e-6]
        if nonzero:
            by_degree.append(Multiplets(degree, torch.stack(nonzero)))
    return by_degree


def positions(kernel_size: int, dim: int) -> Float[Tensor, "*S dim"]:
    """Where pixels lie: x to the right, y up, z along slices, in pixels from the centre."""
    t = torch.arange(kernel_size, dtype=torch.float64) - (kernel_size - 1) / 2
    axes = torch.meshgrid(*[t] * dim, indexing="ij")
    return torch.stack([axes[-1], -axes[-2], *axes[:-2]], -1)


def _ring(u: Tensor, radius: float) -> Tensor:
    return (-0.5 * ((u.norm(dim=-1) - radius) / WIDTH) ** 2).exp()


def _angular(degree: int, u: Tensor) -> Float[Tensor, "d *S"]:
    """Harmonics of the direction of each pixel; at the centre 0 for all degrees but 0."""
    norm = u.norm(dim=-1, keepdim=True)
    direction = u / norm.clamp(min=0.5)
    if u.shape[-1] == 3:
        values = spherical_harmonics(degree, direction).movedim(-1, 0)
    elif degree == 0:
        values = torch.ones(1, *u.shape[:-1], dtype=u.dtype)
    else:
        values = torch.stack(_phases(degree, direction))
    return values * (norm[..., 0] > 0) if degree else values


def _phases(degree: int, direction: Tensor) -> tuple[Tensor, Tensor]:
    angle = torch.complex(direction[..., 0], direction[..., 1])
    power = math.prod([angle] * degree, start=torch.ones_like(angle))
    return power.real, power.imag


def _normalised(values: Float[Tensor, "d *S"]) -> Tensor:
    return values * (len(values) ** 0.5 / values.norm())
