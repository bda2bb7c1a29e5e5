"""Kernels of escnn that turn into each other as an irrep `ψ` says, rather than stay.

Legend of axes: `M` multiplets, `q` their members, `a`, `b` components out and in, `P` points of the kernel.
"""

from __future__ import annotations

import importlib
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym import _escnn
from learnsym.relax.escnn.blocks import Block, grid_of

VANISHING = 1e-2
"""Squared norm below which escnn itself leaves a kernel out."""
DEPENDENT = 1e-3
"""Share of a multiplet that must not be made of those before it."""


def multiplets(conv: Any, block: Block, irrep: Any) -> Float[Tensor, "M q a b P"]:  # noqa: ANN401
    """Kernels with `g·k_q = Σ_p ψ(g)_pq k_p`: the equivariant ones from `ρ_in` to `ρ_out ⊗ ψ`, member by member.

    They are those of the rings and frequencies of the convolution; a filter of its basis that the user gave is not
    kept by escnn, so that the default of escnn is taken. A linear map has one point and neither.
    """
    points, size = torch.as_tensor(conv.basisexpansion.points).float(), block.target.size
    with _escnn.numerical_coefficients():
        _instantiate(conv, block, irrep)
        try:
            build = conv._build_kernel_basis if grid_of(conv) else conv.space.build_fiber_intertwiner_basis
            basis = build(block.source, block.target.tensor(irrep))
        except importlib.import_module("escnn.kernels").EmptyBasisException:
            return torch.zeros(0, irrep.size, size, block.source.size, len(points))
    kept = torch.tensor([not grid_of(conv) or _within(conv)(attributes) for attributes in basis])
    # (P, M, a q, b) -> (M, q, a, b, P)
    kernels = basis.sample(points)[:, kept].permute(1, 2, 3, 0).unflatten(1, (size, irrep.size)).transpose(1, 2)
    scaled = _scaled(kernels, size)
    return (scaled if irrep.type == "R" else scaled[_generators(scaled)]).to(conv.weights)


def _instantiate(conv: Any, block: Block, irrep: Any) -> None:  # noqa: ANN401
    """Make the irreps that products of these have, since escnn looks among those that are there."""
    fibers = conv.in_type.fibergroup
    if fibers.order() < 0:
        both = [fibers.irrep(*key) for r in (block.source, block.target) for key in set(r.irreps)]
        of_rings = conv._maximum_frequency if grid_of(conv) else 0
        highest = 2 * max(_frequency(each) for each in both) + _frequency(irrep) + of_rings
        for key in fibers.bl_irreps(highest):
            fibers.irrep(*key)


def _frequency(irrep: Any) -> int:  # noqa: ANN401
    return irrep.attributes["frequency"]


def _within(conv: Any) -> Any:  # noqa: ANN401
    """Whether a basis kernel lies below the highest frequency that its ring can hold."""
    policy = importlib.import_module(type(conv).__module__).compute_basis_params
    return policy(conv.kernel_size, None, conv._rings, conv._sigma, conv.dilation)[0]


def _scaled(kernels: Tensor, size: int) -> Tensor:
    """One scale for each multiplet, whose members must keep their ratio."""
    norms = kernels.flatten(1).norm(dim=1)
    kept = norms.square() > VANISHING
    return kernels[kept] * ((size * kernels.shape[1]) ** 0.5 / norms[kept]).view(-1, 1, 1, 1, 1)


def _generators(kernels: Tensor) -> list[int]:
    """Multiplets that are not those before them with their members mixed, as a complex irrep allows."""
    found, span = [], kernels.new_zeros(0, kernels[0].numel() // kernels.shape[1] if len(kernels) else 0).double()
    for index, members in enumerate(kernels.double().flatten(2)):
        rest = members - members @ span.T @ span
        if rest.norm() > DEPENDENT * members.norm():
            found.append(index)
            span = torch.cat([span, torch.linalg.qr(rest.T)[0].T])
    return found
