"""Kernels with values at a few points near the pole or the identity, as matrices of coefficients.

Legend of axes: `P` points, `l` degree, `p`, `n` orders from `1 - N` to `N - 1`.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Complex
from torch import Tensor

from learnsym.representations import small_d

REACH, WIDEST = 6.2, 0.75
"""Rings reach `6.2 π / b` from the pole, as in the published networks, and never nearer to the other pole than π/4."""


def usual_reach(band_limit: int) -> float:
    """The largest angle of a kernel's rings from the pole, in radians."""
    return math.pi * min(REACH / band_limit, WIDEST)


def near_pole(band_limit: int, azimuthal: int, rings: int, points: int, reach: float) -> Complex[Tensor, "P l n"]:
    """`conj D^l_n0` at `points` distinct angles on each of `rings` circles around the north pole."""
    d, turns, middle = *_rings(band_limit, rings, points, reach), band_limit - 1
    kept = slice(middle - azimuthal + 1, middle + azimuthal)
    orders = torch.arange(1 - azimuthal, azimuthal, dtype=torch.float64)
    phases = torch.exp(1j * turns[:, None] * orders)
    return torch.einsum("kln,an->kaln", d[:, :, kept, middle], phases).flatten(0, 1)


def near_identity(band_limit: int, azimuthal: int, rings: int, points: int, reach: float) -> Complex[Tensor, "P l p n"]:
    """`conj D^l_pn` at `rings * points * points` distinct rotations: as `near_pole`, each with `points` angles `γ`."""
    d, turns, middle = *_rings(band_limit, rings, points, reach), band_limit - 1
    kept = slice(middle - azimuthal + 1, middle + azimuthal)
    orders = torch.arange(1 - azimuthal, azimuthal, dtype=torch.float64)
    phases = torch.exp(1j * turns[:, None] * orders)
    return torch.einsum("klpn,ap,cn->kaclpn", d[:, :, kept, kept], phases, phases).flatten(0, 2)


def _rings(band_limit: int, rings: int, points: int, reach: float) -> tuple[Tensor, Tensor]:
    """Small d at the angles of the rings, and the angles along one, `2π j / points`: the last is not the first."""
    beta = reach * torch.arange(1, rings + 1, dtype=torch.float64) / rings
    return small_d(band_limit, beta), torch.arange(points, dtype=torch.float64) * (2 * math.pi / points)
