"""Functions on the sphere at the pixels of HEALPix: equal areas on rings of equal latitude.

Legend of axes: `P` pixels, `12 n²` of a resolution `n` (`nside`), ring by ring from north to south; `D` coefficients,
`b²` of a band limit `b`.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.representations._spatial import spherical_harmonics

MOST = 64
"""Largest resolution: transforms are dense matrices of `12 n²` by up to `4 n²` numbers."""


def healpix_points(nside: int) -> Float[Tensor, "P 3"]:
    """Unit vectors at the centres of the `12 n²` pixels, in the ring order.

    Ring `i = 1 ... 4n - 1` has `c_i = 4 min(i, n, 4n - i)` pixels `j = 1 ... c_i` at

        z = 1 - i² / (3 n²),              φ = (j - 1/2) 2π / c_i        for i < n, and mirrored for i > 3n
        z = 4/3 - 2 i / (3 n),            φ = (j - s/2) 2π / c_i        else, with s = 1 + (i - n) mod 2

    in the order of the HEALPix software; with `s = 0` for 2, as printed, each such ring begins one pixel later.

    Reference: Górski, Hivon, Banday, Wandelt, Hansen, Reinecke, Bartelmann, "HEALPix: a framework for high-resolution
    discretization and fast analysis of data distributed on the sphere" (2005), arXiv astro-ph/0409513.

    Raises:
        ValueError: when `nside` is no whole number from 1 to 64.

    Example:
        >>> z = ls.representations.healpix_points(1)[:, 2]
        >>> [(round(float(ring), 3), int((z == ring).sum())) for ring in z.unique().flip(0)]
        [(0.667, 4), (0.0, 4), (-0.667, 4)]
    """
    _check_nside(nside)
    rings = [_ring(nside, i) for i in range(1, 4 * nside)]
    z = torch.cat([torch.full_like(phi, height) for height, phi in rings])
    phi = torch.cat([phi for _, phi in rings])
    radius = (1 - z * z).sqrt()
    return torch.stack([radius * phi.cos(), radius * phi.sin(), z], -1)


def nside_of(pixels: int) -> int:
    """The resolution `n` of `12 n²` pixels.

    Raises:
        ValueError: when there is none.

    Example:
        >>> from learnsym.representations.healpix import nside_of
        >>> nside_of(768)
        8
    """
    nside = math.isqrt(max(pixels, 0) // 12)
    if pixels != 12 * nside**2 or not 1 <= nside <= MOST:
        near = min(MOST, max(1, round(math.sqrt(max(pixels, 0) / 12))))
        raise ValueError(
            f"pixels: got {pixels} numbers on the sphere, must be 12 n² of HEALPix with n from 1 to {MOST}; "
            f"take {12 * near**2}"
        )
    return nside


@lru_cache
def harmonics_on_healpix(nside: int, band_limit: int) -> tuple[Float[Tensor, "D P"], Float[Tensor, "P D"]]:
    """Analysis and synthesis, from pixels to coefficients of real harmonics and back, as `harmonics_on_grid`.

        c = A x,    x = S c,    A = (Sᵀ S)⁻¹ Sᵀ,    A S = 1

    Sums over equal pixels, `Sᵀ x / P`, mix harmonics below `2 n` by up to 3 % (`n = 8`) or 10 % (`n = 2`); least
    squares is exact for functions below the band limit. Singular values of `S / √P` lie between 0.91 and 1.04 up to
    `b = 2 n`, so that next to nothing is amplified.

    Raises:
        ValueError: for a band limit that is not from 1 to `2 n`.
    """
    if isinstance(band_limit, bool) or not isinstance(band_limit, int) or not 1 <= band_limit <= 2 * nside:
        raise ValueError(
            f"band_limit: got {band_limit!r} for HEALPix with nside {nside}, must be a whole number from 1 to "
            f"{2 * nside}; lower it, or take finer pixels"
        )
    points = healpix_points(nside)
    synthesis = torch.cat([spherical_harmonics(degree, points) for degree in range(band_limit)], -1)
    return torch.linalg.pinv(synthesis), synthesis


def _ring(nside: int, i: int) -> tuple[float, Float[Tensor, "j"]]:
    """Height and longitudes of one ring."""
    north = min(i, 4 * nside - i)
    count = 4 * min(north, nside)
    cap = north < nside
    height = 1 - north**2 / (3 * nside**2) if cap else 4 / 3 - 2 * north / (3 * nside)
    shift = 1 if cap else 1 + (i - nside) % 2
    phi = (torch.arange(1, count + 1, dtype=torch.float64) - shift / 2) * (2 * math.pi / count)
    return math.copysign(height, 2 * nside - i) if i != 2 * nside else 0.0, phi


def _check_nside(nside: int) -> None:
    if isinstance(nside, bool) or not isinstance(nside, int) or not 1 <= nside <= MOST:
        raise ValueError(f"nside: got {nside!r}, must be a whole number from 1 to {MOST}; 8 has 768 pixels")
