"""Functions on the sphere: the equiangular grid, its quadrature, and real harmonics as matrices on it.

Legend of axes: `H` latitudes from north to south, `W` longitudes eastwards, `D` coefficients, `b²` of a band limit `b`.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.representations._planar import determinant
from learnsym.representations._spatial import spherical_harmonics, wigner


def colatitudes(height: int) -> Float[Tensor, "H"]:
    """Angles from the north pole to the rows of a picture, `π (j + 1/2) / H`: no row lies on a pole."""
    return (torch.arange(height, dtype=torch.float64) + 0.5) * (math.pi / height)


def sphere_points(height: int, width: int) -> Float[Tensor, "H W 3"]:
    """Unit vectors at the pixels of a picture: colatitude `π (j + 1/2) / H`, longitude `2π k / W` from x to y.

    With `H = W = 2 b` it is the grid of Driscoll and Healy.

    Example:
        >>> ls.representations.sphere_points(1, 4)[0].round().long()
        tensor([[ 1,  0,  0],
                [ 0,  1,  0],
                [-1,  0,  0],
                [ 0, -1,  0]])
    """
    theta = colatitudes(height)[:, None]
    phi = (torch.arange(width, dtype=torch.float64) * (2 * math.pi / width))[None]
    parts = (theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos().expand(height, width))
    return torch.stack(parts, -1)


def latitude_weights(height: int) -> Float[Tensor, "H"]:
    """Weights of the rows of a picture, of sum 1: exact for polynomials in `cos θ` of degree below `H` (Fejér).

    w_j = (1 - 2 Σ_k cos(2 k θ_j) / (4 k² - 1)) / H,    k = 1 ... H/2
    """
    k = torch.arange(1, height // 2 + 1, dtype=torch.float64)
    cosines = (2 * colatitudes(height)[:, None] * k).cos() / (4 * k * k - 1)
    return (1 - 2 * cosines.sum(-1)) / height


def highest_band_limit(height: int, width: int) -> int:
    """The largest band limit `b` that pictures hold: the product of two functions of degree below `b` is integrated
    exactly along both axes, `2 b <= H` and `2 b - 1 <= W`."""
    return max(1, min(height // 2, (width + 1) // 2))


def check_band_limit(band_limit: int, height: int, width: int) -> None:
    """Raise ValueError when pictures are too coarse for a band limit."""
    most = highest_band_limit(height, width)
    if not 1 <= band_limit <= most:
        raise ValueError(
            f"band_limit: got {band_limit} for pictures of {height}x{width}, must be from 1 to {most}, half of the "
            f"shorter side; lower it, or take pictures of {2 * max(1, band_limit)} pixels"
        )


@lru_cache
def harmonics_on_grid(height: int, width: int, band_limit: int) -> tuple[Float[Tensor, "D P"], Float[Tensor, "P D"]]:
    """Analysis and synthesis, the matrices from pixels to coefficients of real harmonics and back.

        c = A x,    x = S c,    A S = 1

    Raises:
        ValueError: when the pictures are too coarse for the band limit.
    """
    check_band_limit(band_limit, height, width)
    points = sphere_points(height, width).flatten(0, 1)
    synthesis = torch.cat([spherical_harmonics(degree, points) for degree in range(band_limit)], -1)
    weights = (latitude_weights(height) / width).repeat_interleave(width)
    return (synthesis * weights[:, None]).mT.contiguous(), synthesis


def turned_harmonics(g: Float[Tensor, "B 3 3"], c: Float[Tensor, "B C D"]) -> Float[Tensor, "B C D"]:
    """Coefficients of real harmonics of functions moved by rotations and reflections: `c_l -> det(g)^l D^l(g) c_l`."""
    parts, first, sign = [], 0, determinant(g)[:, None, None]
    for degree in range(math.isqrt(c.shape[-1])):
        last = (degree + 1) ** 2
        parts.append(sign**degree * torch.einsum("bij,bcj->bci", wigner(degree, g), c[..., first:last]))
        first = last
    return torch.cat(parts, -1)
