"""What representations have in common: invariant vectors, intertwiners, isotypic components.

Legend of axes: `G` elements that generate the group, `K` vectors found, `d` sizes of representations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.representations._representation import Representation
from learnsym.representations.irrep import Irrep

TOLERANCE = 1e-9
TIED = 1e-6
"""Difference of squared norms up to which they count as equal, so that rounding does not decide which comes first."""
DENSE = 1024
"""Entries of a matrix up to which intertwiners of permutations are the null space of a dense matrix, too.

Weights that runs have saved are coefficients in that basis; of more entries it takes minutes and gigabytes."""


@dataclass(frozen=True)
class Component:
    """All copies of one irreducible representation `ψ` inside a representation `ρ`."""

    irrep: Irrep
    embeddings: Float[Tensor, "K d_rho d_psi"]
    """Isometries `T` with orthogonal images and `ρ(g) T = T ψ(g)`."""


@lru_cache
def generating(group: Group) -> Float[Tensor, "G n n"]:
    """Elements whose products come close to every element: a few at random for a Lie group, all of a finite one."""
    if group.order is not None:
        return group.components
    generator = torch.Generator().manual_seed(0)
    return torch.cat([group.components, group.haar(6, dtype=torch.float64, generator=generator)])


def tensor_product(*factors: Float[Tensor, "G _ _"]) -> Float[Tensor, "G _ _"]:
    """Kronecker products of matrices, element by element."""
    product, *others = factors
    for other in others:
        product = torch.einsum("gab,gcd->gacbd", product, other).flatten(3, 4).flatten(1, 2)
    return product


def basis_of(projection: Float[Tensor, "d d"], size: int) -> Float[Tensor, "K d"]:
    """The one orthonormal basis of the image of an orthogonal projection that all machines agree on.

    Eigenvectors to one eigenvalue are only known up to rotations among them, which rounding decides: another processor
    or number of threads gives others. Weights are coefficients in a basis, so that saved ones would mean another
    function there. The projection itself is unique, and so is its Cholesky factor, `P = Bᵀ B`, whose rows are
    orthonormal as `P² = P`. The pivot is the first of the largest remaining diagonal entries.

    Reference: Higham, "Analysis of the Cholesky decomposition of a semi-definite matrix" (1990), for the pivots.

    Args:
        projection: `P`, symmetric with `P² = P`.
        size: its rank `K`.

    Example:
        >>> basis_of(torch.tensor([[0.5, 0.5], [0.5, 0.5]]), 1)
        tensor([[0.7071, 0.7071]])
    """
    rest, rows = projection, []
    for _ in range(size):
        sizes = rest.diagonal()
        pivot = int((sizes > sizes.max() - TIED).nonzero()[0])
        rows.append(rest[pivot] / sizes[pivot].sqrt())
        rest = torch.addr(rest, rows[-1], rows[-1], alpha=-1)
    return torch.stack(rows) if rows else projection[:0]


def invariants(matrices: Float[Tensor, "G d d"]) -> Float[Tensor, "K d"]:
    """An orthonormal basis of the vectors that all orthogonal matrices `M` leave fixed.

    It is the null space of `mean (I - M)ᵀ (I - M) = 2 I - mean (M + Mᵀ)`, and the same on all machines, see `basis_of`.
    """
    mean = matrices.double().mean(0)
    values, vectors = torch.linalg.eigh(2 * torch.eye(len(mean), dtype=torch.float64) - mean - mean.mT)
    still = vectors[:, values < TOLERANCE]
    return basis_of(still @ still.mT, still.shape[1])


def intertwiners(source: Representation, target: Representation) -> Float[Tensor, "K d_t d_s"]:
    """An orthonormal basis of the matrices `T` with `T ρ_s(g) = ρ_t(g) T` for all `g`.

    Example:
        >>> irrep = ls.representations.Irrep(ls.groups.SO2(), 1)
        >>> len(ls.representations.intertwiners(irrep, irrep))  # multiples of rotations
        2
    """
    if source.is_permutation and target.is_permutation and source.size * target.size > DENSE:
        return orbit_indicators(source, target)
    g = generating(target.group)
    return invariants(tensor_product(target(g), source(g))).unflatten(1, (target.size, source.size))


def orbit_indicators(source: Representation, target: Representation) -> Float[Tensor, "K d_t d_s"]:
    """The intertwiners of two permutations of a finite group: constant on the orbits of pairs `(a, b) -> (g a, g b)`.

    One matrix for each orbit, of norm 1, in the order of the first pairs of the orbits.
    """
    g = generating(target.group)
    a, b = (each(g).argmax(-2) for each in (target, source))
    # the orbit of a pair is known by the first pair in it
    first = (a[:, :, None] * source.size + b[:, None, :]).amin(0)
    orbit = torch.unique(first, return_inverse=True)[1]
    indicator = torch.nn.functional.one_hot(orbit).movedim(-1, 0).double()
    return indicator / indicator.sum((1, 2), keepdim=True).sqrt()


def isotypic(matrices: Float[Tensor, "G d d"], irreps: Sequence[Irrep]) -> list[Component]:
    """The copies of each irreducible representation in one that is given at `generating(group)`.

    Args:
        matrices: `ρ(g)`.
        irreps: those to look for; components of others are left out.
    """
    components = []
    for irrep in irreps:
        copies = invariants(tensor_product(matrices, irrep(generating(irrep.group))))
        embeddings = _independent(copies.unflatten(1, (matrices.shape[-1], irrep.size)) * irrep.size**0.5)
        components.append(Component(irrep, embeddings))
    return components


def _independent(maps: Float[Tensor, "K d_rho d_psi"]) -> Float[Tensor, "M d_rho d_psi"]:
    """Isometries with orthogonal images: for irreps of complex type two maps, `T` and `T J`, share one image."""
    chosen: list[Tensor] = []
    while len(maps):
        chosen.append(maps[0])
        rest = maps[1:] - maps[0] @ (maps[0].mT @ maps[1:])
        flat, values, _ = torch.linalg.svd(rest.flatten(1).mT, full_matrices=False)
        image, size = flat[:, values > 1e-6], maps.shape[-1] ** 0.5
        maps = (basis_of(image @ image.mT, image.shape[1]) * size).unflatten(1, maps.shape[1:])
    return torch.stack(chosen) if chosen else maps
