"""Quasi-random points in the unit cube."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.quasirandom import SobolEngine

MOST = 2**24


def midpoints(count: int, dim: int, seed: int = 0) -> Float[Tensor, "S Q"]:
    """`count` points of the unit cube whose every coordinate is a permutation of the midpoints `(i + 1/2) / count`.

    A scrambled Sobol sequence (Owen 1998) replaced by its ranks: every one-dimensional average is the midpoint rule
    and the mean of the points is the centre, for any count. The same points for the same arguments, everywhere.

    Args:
        count: number of points, at least 1 and at most 2 to the power of 24.
        dim: dimension of the cube.
        seed: of the scrambling.

    Returns:
        Points `(count, dim)`, float32.

    Example:
        >>> ls.distributions.midpoints(4, 2).mean(0)
        tensor([0.5000, 0.5000])
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"count: got {count}, must be >= 1 and at most {MOST}; ask for at least one point")
    if dim == 0:
        return torch.empty(count, 0)
    points = SobolEngine(dim, scramble=True, seed=seed).draw(count, dtype=torch.float64)
    ranks = points.argsort(0).argsort(0)
    return ((ranks + 0.5) / count).float()
