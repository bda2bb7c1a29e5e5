"""Directions of an algebra by how symmetric they are, and a basis of those that are chosen.

Legend of axes: `K` candidates, `R` directions, `d` chosen ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import scipy
import torch
from jaxtyping import Float
from torch import Tensor

UNSEEN = 1e-10
"""Directions along which neither side moves by more than this share of the others are not seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Directions:
    """Directions `θ` of an algebra, the most symmetric first."""

    theta: Float[Tensor, "R K"]
    """Of size 1 each, and orthogonal in size."""
    defects: Float[Tensor, "R"]
    unseen: Float[Tensor, "U K"]
    """Directions that move neither side."""


def directions(departure: Float[Tensor, "r K"], size: Float[Tensor, "s K"]) -> Directions:
    """Generalised singular vectors `|departure θ| / |size θ|`, ascending.

    Both are brought to `(K, K)` by QR in float64 and never squared: a defect of 1e-14 is told from one of 1e-8.

    Raises:
        ValueError: when all directions are unseen.
    """
    _, sizes, v = torch.linalg.svd(_triangle(size), full_matrices=True)
    sizes = torch.cat([sizes, sizes.new_zeros(len(v) - len(sizes))])
    if not sizes.any():
        raise ValueError(
            "pairs: none of them moves inputs along which outputs change, or outputs; take others, or data"
        )
    seen = sizes > UNSEEN * sizes.max()
    # with size = U Σ Vᵀ and θ = V Σ⁻¹ w the problem is the singular values of departure V Σ⁻¹
    whiten = v[seen].mT / sizes[seen]
    _, defects, w = torch.linalg.svd(_triangle(departure) @ whiten, full_matrices=True)
    defects = torch.cat([defects, defects.new_zeros(len(w) - len(defects))])
    return Directions(theta=(whiten @ w.mT).mT.flip(0), defects=defects.flip(0), unseen=v[~seen])


def _triangle(rows: Float[Tensor, "r K"]) -> Tensor:
    return torch.linalg.qr(rows, mode="r").R if len(rows) > rows.shape[1] else rows


def sparse_basis(flat: Float[Tensor, "d k"]) -> Float[Tensor, "d k"]:
    """A basis of the same span in which each element has a 1 at a place where all others have 0.

    The places are chosen by QR with pivots, which keeps the other entries small. It is as sparse as its span allows
    for algebras of coordinates, such as so(3). Nothing is rounded to 0.
    """
    if len(flat) == 0:
        return flat
    order = torch.as_tensor(scipy.linalg.qr(flat.numpy(), pivoting=True)[-1])
    place = order[: len(flat)].long().sort().values
    return torch.linalg.solve(flat[:, place], flat)


def closure_defect(a: Float[Tensor, "d n n"], b: Float[Tensor, "d m m"]) -> float:
    """How far brackets leave the span of pairs: `max |P⊥[X, Y]| / √2` over two elements of an orthonormal basis.

    0 for an algebra, at most 1 (Böttcher and Wenzel, "The Frobenius norm and the commutator", 2008).
    """
    if len(a) < 2:
        return 0.0
    n, m = a.shape[1], b.shape[1]
    basis = torch.linalg.qr(torch.cat([a.flatten(1), b.flatten(1)], 1).mT).Q
    first, second = basis[: n * n].mT.unflatten(1, (n, n)), basis[n * n :].mT.unflatten(1, (m, m))
    brackets = torch.cat([_brackets(first).flatten(1), _brackets(second).flatten(1)], 1).mT
    outside = brackets - basis @ (basis.mT @ brackets)
    return float(outside.norm(dim=0).max()) / 2**0.5


def _brackets(x: Float[Tensor, "d n n"]) -> Float[Tensor, "d2 n n"]:
    product = x[:, None] @ x[None]
    return (product - product.transpose(0, 1)).flatten(0, 1)
