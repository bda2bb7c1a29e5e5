"""Slow twin of the probabilistic kernel: the average of a free kernel over a group, element by element.

The free kernel is given by its tensors `C[r, a, b, p]` for each degree; `g` moves them by `ρ_out ⊗ ρ_in ⊗ ψ_j`.
"""

import torch

from learnsym.equivariant.steerable.scalar_basis import multiplets
from learnsym.representations import Harmonics


def averaged_kernel(source, target, kernel_size, tensors, elements, masses):
    """`Σ_g λ(g) g·k` for one pair of fields."""
    kernel = 0
    for functions, tensor in zip(multiplets(source.group, kernel_size), tensors, strict=True):
        harmonics = Harmonics(source.group, functions.degree)
        for g, mass in zip(elements, masses, strict=True):
            moved = torch.einsum(
                "ac,bd,pq,rcdq->rabp", target(g[None])[0], source(g[None])[0], harmonics(g[None])[0], tensor
            )
            kernel = kernel + mass * torch.einsum("rabp,rp...->ab...", moved, functions.values)
    return kernel
