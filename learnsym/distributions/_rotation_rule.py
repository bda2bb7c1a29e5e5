"""A quadrature of the rotations of space.

Legend of axes: `K` rotations, `P` points of the sphere.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import SO3

# without 13, 25 and 27, which have negative weights: a density that is normalised over a rule needs positive ones
LEBEDEV_DEGREES = (*range(3, 13, 2), *range(15, 25, 2), 29, 31, *range(35, 132, 6))


def rotation_rule(degree: int) -> tuple[Float[Tensor, "K 3 3"], Float[Tensor, "K"]]:
    """Rotations and weights, exact for polynomials in the entries of the matrix up to `degree`.

    In Euler angles `R = R_z(α) R_y(β) R_z(γ)`: a rule on the sphere for the image `(α, β)` of the z axis, times equally
    spaced angles `γ`. The latter remove every Wigner function `D^l_mn` with `0 < |n| <= degree`, and what is left,
    `n = 0`, are spherical harmonics.
    """
    points, weights = sphere_rule(degree)
    count = degree + 1
    gamma = 2 * math.pi * torch.arange(count, dtype=torch.float64) / count
    alpha, beta = torch.atan2(points[:, 1], points[:, 0]), points[:, 2].clamp(-1, 1).acos()
    to_point = _about(2, alpha) @ _about(1, beta)
    rotations = (to_point[:, None] @ _about(2, gamma)[None]).flatten(0, 1)
    return rotations, weights.repeat_interleave(count) / count


def sphere_rule(degree: int) -> tuple[Float[Tensor, "P 3"], Float[Tensor, "P"]]:
    """Points and positive weights on the unit sphere, exact up to `degree`: Lebedev's, a product rule beyond them."""
    fitting = [listed for listed in LEBEDEV_DEGREES if listed >= degree]
    # SciPy has Lebedev's rules since 1.15
    if not fitting or not hasattr(scipy.integrate, "lebedev_rule"):
        return product_rule(degree)
    points, weights = scipy.integrate.lebedev_rule(fitting[0])
    return torch.from_numpy(points.T.copy()), torch.from_numpy(weights / weights.sum())


def product_rule(degree: int) -> tuple[Float[Tensor, "P 3"], Float[Tensor, "P"]]:
    """Gauss-Legendre nodes in `z` times equally spaced longitudes."""
    z, weights = (torch.from_numpy(values) for values in np.polynomial.legendre.leggauss(degree // 2 + 1))
    longitude = 2 * math.pi * torch.arange(degree + 1, dtype=torch.float64) / (degree + 1)
    radius = (1 - z * z).sqrt()[:, None]
    points = torch.stack(torch.broadcast_tensors(radius * longitude.cos(), radius * longitude.sin(), z[:, None]), -1)
    return points.flatten(0, 1), weights.repeat_interleave(degree + 1) / (2 * (degree + 1))


def _about(axis: int, angle: Float[Tensor, "P"]) -> Float[Tensor, "P 3 3"]:
    return SO3().exp(angle[:, None] * torch.eye(3, dtype=torch.float64)[axis])
