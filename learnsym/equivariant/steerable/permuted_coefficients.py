"""Kernels between fields that a group permutes, in closed form.

Legend of axes: `G` elements, `K` solutions, `R` orbits, `d` harmonics of a degree, `a`, `b` components out and in.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.representations import Harmonics, Representation, basis_of, generating

SMALL = 1e-6
"""Squares of lengths up to which images are 0."""


def permuted_coefficients(source: Representation, target: Representation, degree: int) -> Float[Tensor, "K a b d"]:
    """An orthonormal basis of `C` with `C_{g(a, b)} = ψ_j(g) C_ab`, for a finite group; as `invariants(coupling(...))`.

    An orbit of pairs `(a, b)` is given by one vector `c`, invariant under the elements that keep the pair:

        C_{h} = Σ_{g: g(a, b) = h} ψ_j(g) c
    """
    g = generating(source.group)
    psi = Harmonics(source.group, degree)(g)
    pairs = _images(target(g))[:, :, None] * source.size + _images(source(g))[:, None, :]
    first = torch.unique(pairs.flatten(1).amin(0))
    moved = pairs.flatten(1)[:, first]
    maps = psi.new_zeros(len(first), target.size * source.size, *psi.shape[1:])
    maps.index_put_(
        (torch.arange(len(first)).expand_as(moved), moved), psi[:, None].expand(-1, len(first), -1, -1), True
    )
    return _orthonormal(maps.flatten(1, 2)).unflatten(1, (target.size, source.size, -1))


def _images(permutations: Float[Tensor, "G a a"]) -> Int[Tensor, "G a"]:
    """Where each component goes."""
    return permutations.argmax(-2)


def _orthonormal(maps: Float[Tensor, "R n d"]) -> Float[Tensor, "K n"]:
    """The images of all maps, which are orthogonal to one another.

    A map is the projection onto the vectors `c` of its orbit, times a factor that keeps their lengths in proportion.
    """
    gram = maps.mT @ maps
    squares = torch.linalg.eigvalsh(gram)
    ranks, factors = (squares > SMALL).sum(1).tolist(), squares.amax(1).clamp(min=SMALL)
    vectors = (basis_of(*each) for each in zip(gram / factors[:, None, None], ranks, strict=True))
    images = zip(vectors, maps, factors, strict=True)
    return torch.cat([rows @ image.mT / factor.sqrt() for rows, image, factor in images])
