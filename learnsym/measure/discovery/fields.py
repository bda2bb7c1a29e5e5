"""Candidate generators of a symmetry: matrices, and the velocities with which they move data.

Legend of axes: `B` examples, `K` candidates, `n` size of their matrices.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image, PointCloud, Volume
from learnsym.actions._checks import check_batch, check_finite, check_floating
from learnsym.groups import Trivial
from learnsym.measure.lie.flow import flow

MovedBy = Image | Volume | PointCloud | None
"""How candidates act: an action, or None for plain vectors `(B, d)`, of which a matrix `A` makes `A x`."""


def all_candidates(action: MovedBy, x: Float[Tensor, "B ..."]) -> Float[Tensor, "K n n"]:
    """Matrices with a single 1: of images and volumes all affine fields, of points and vectors all linear maps.

    Translations of points are left out: they move all examples alike, which leaves a permutation nothing to permute.
    """
    d = _dimension(action, x)
    if isinstance(action, Image | Volume):
        return torch.eye((d + 1) ** 2, dtype=torch.float64)[: d * (d + 1)].unflatten(1, (d + 1, d + 1))
    return torch.eye(d * d, dtype=torch.float64).unflatten(1, (d, d))


def check_candidates(action: MovedBy, candidates: Float[Tensor, "K n n"] | None, x: Tensor) -> None:
    """Raise ValueError when data do not fit the action, or matrices do not fit the data."""
    if action is None:
        check_batch(x, "B d")
        check_floating(x)
        check_finite(x)
    else:
        action.check_data(Trivial(), x)
    d = _dimension(action, x)
    sizes = (d,) if action is None else (d, d + 1)
    if candidates is not None and (len(candidates) == 0 or candidates.shape[-1] not in sizes):
        got, wanted = tuple(candidates.shape), " or ".join(map(str, sizes))
        raise ValueError(f"candidates: got shape {got}, must be matrices of size {wanted}; take the algebra of a group")


def velocities(
    action: MovedBy, candidates: Float[Tensor, "K n n"], x: Float[Tensor, "B ..."]
) -> Float[Tensor, "K B ..."]:
    """`d/dt exp(tA)·x` at t = 0 for each candidate `A`."""
    return torch.stack([_velocity(action, matrix, x) for matrix in candidates.to(x)])


def _velocity(action: MovedBy, matrix: Float[Tensor, "n n"], x: Tensor) -> Tensor:
    if action is None:
        return x @ matrix.mT
    if isinstance(action, Image | Volume):
        return flow(x, matrix, "central", action.padding)
    # points move by a map that is linear in the matrix, apart from scalars, which stay
    each = matrix.expand(len(x), -1, -1)
    return action(each, x) - action(torch.zeros_like(each), x)


def _dimension(action: MovedBy, x: Tensor) -> int:
    if action is None:
        return x.shape[1]
    return action.dim if isinstance(action, PointCloud) else x.ndim - 2
