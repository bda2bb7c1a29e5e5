"""The columns by which a likelihood widens a steerable kernel: kernels that turn by irreps other than the trivial one.

Legend of axes: `M` multiplets, `d` size of an irrep, `a`, `b` components out and in, `R` rings, `*S` pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.steerable.kernel_basis import coupling
from learnsym.equivariant.steerable.scalar_basis import Multiplets, multiplets
from learnsym.representations import Irrep, Representation, isotypic

VANISHING = 1e-6


@lru_cache
def kernel_columns(
    source: Representation, target: Representation, kernel_size: int, band_limit: int | None, irreps: tuple[Irrep, ...]
) -> tuple[Tensor, ...]:
    """For each irrep `ψ` multiplets `(M, d, a, b, *S)` of kernels with `g·k_i = Σ_j ψ(g)_ji k_j`.

        ρ_out ⊗ ρ_in ⊗ ψ_j = ⊕ T ψ Tᵀ,    k_i(u) = Σ_c T_abc,i Y_jc(u)

    Of norm `sqrt(d_out d_ψ)`; with the trivial irrep the basis of a steerable convolution. Multiplets
    that vanish on the grid are left out.

    Reference: Veefkind, Cesa (2024), arXiv 2406.03946.
    """
    found: list[list[Tensor]] = [[] for _ in irreps]
    for functions in multiplets(source.group, kernel_size, band_limit):
        components = isotypic(coupling(source, target, functions.degree), irreps)
        for kernels, component in zip(found, components, strict=True):
            kernels.append(_kernels(component.embeddings, functions, target.size, source.size))
    return tuple(_scaled(torch.cat(kernels), target.size) for kernels in found)


def _kernels(embeddings: Float[Tensor, "K D d"], functions: Multiplets, a: int, b: int) -> Float[Tensor, "M d a b *S"]:
    tensors = embeddings.unflatten(1, (a, b, functions.values.shape[1]))
    return torch.einsum("kabcp,rc...->krpab...", tensors, functions.values).flatten(0, 1)


def _scaled(kernels: Float[Tensor, "M d a b *S"], size: int) -> Tensor:
    """One scale for each multiplet, whose components must keep their ratio."""
    norms = kernels.flatten(1).norm(dim=1)
    kept = norms > VANISHING
    scale = (size * kernels.shape[1]) ** 0.5 / norms[kept]
    return kernels[kept] * scale.view(-1, *[1] * (kernels.ndim - 1))


def flattened(columns: Sequence[Tensor]) -> Float[Tensor, "D a b *S"]:
    """All kernels in one axis, irrep by irrep."""
    return torch.cat([kernels.flatten(0, 1) for kernels in columns])
