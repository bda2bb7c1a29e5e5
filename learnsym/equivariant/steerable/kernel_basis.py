"""Kernels that commute with a group: a basis for each pair of representations.

Legend of axes: `K` basis kernels, `d` sizes of representations, `*S` pixels.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.steerable.permuted_coefficients import permuted_coefficients
from learnsym.equivariant.steerable.scalar_basis import multiplets
from learnsym.groups import Group
from learnsym.representations import Harmonics, Representation, generating, invariants, tensor_product


def coupling(source: Representation, target: Representation, degree: int) -> Float[Tensor, "G D D"]:
    """`ρ_out ⊗ ρ_in ⊗ ψ_j` at `generating(group)`: how a group moves the coefficients of kernels `Σ_c C_c Y_jc(u)`."""
    g = generating(source.group)
    return tensor_product(target(g), source(g), Harmonics(source.group, degree)(g))


@lru_cache
def kernel_basis(
    source: Representation, target: Representation, kernel_size: int, band_limit: int | None = None
) -> Float[Tensor, "K d_out d_in *S"]:
    """All kernels with `k(g u) = ρ_out(g) k(u) ρ_in(g)^-1` in the span of rings times harmonics, of norm `sqrt(d_out)`.

        k(u) = Σ_j Σ_c C_c Y_jc(u),    C invariant under ρ_out ⊗ ρ_in ⊗ ψ_j

    The invariants of each degree `j` are the null space of a small matrix, for any pair of representations, or known in
    closed form when both permute and the group is finite.

    Reference: Weiler, Cesa, "General E(2)-equivariant steerable CNNs" (2019), arXiv 1911.08251; Cesa, Lang, Weiler, "A
    program to build E(N)-equivariant steerable CNNs" (2022).
    """
    blocks = []
    for functions in multiplets(source.group, kernel_size, band_limit):
        if source.group.order and source.is_permutation and target.is_permutation:
            coefficients = permuted_coefficients(source, target, functions.degree)
        else:
            embeddings = invariants(coupling(source, target, functions.degree))
            coefficients = embeddings.unflatten(1, (target.size, source.size, -1))
        blocks.append(torch.einsum("koid,rd...->kroi...", coefficients, functions.values).flatten(0, 1))
    return _scaled(torch.cat(blocks), target.size)


def _scaled(kernels: Float[Tensor, "K d_out d_in *S"], size: int) -> Tensor:
    """Kernels of norm `sqrt(d_out)`; those that vanish on the grid are left out."""
    norms = kernels.flatten(1).norm(dim=1)
    nonzero = norms > 1e-6
    return kernels[nonzero] * (size**0.5 / norms[nonzero]).view(-1, *[1] * (kernels.ndim - 1))


def check_kernel(group: Group, kernel_size: int) -> None:
    """Raise ValueError for kernels that a group cannot turn about a pixel."""
    order = group.order or 0
    odd = order % 2 == 1 and order > 1
    if odd and kernel_size % 2 == 0:
        raise ValueError(
            f"kernel_size: got {kernel_size}, must be odd for {group}, whose rotations are about a pixel; "
            f"take {kernel_size + 1}"
        )
