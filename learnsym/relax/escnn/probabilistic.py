"""A convolution of escnn that keeps as much of its group as a learned likelihood says.

Legend of axes: `K` elements of a quadrature, `o`, `i` fields out and in, `r` rank, `M` multiplets, `q` their members.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, final

import torch
from torch import Tensor, nn

from learnsym import _escnn
from learnsym.degrees import Degree
from learnsym.equivariant import Basis, Constant
from learnsym.relax.escnn.blocks import blocks_of, exact_kernel, joined
from learnsym.relax.escnn.convolution import EscnnConv, exact_energy
from learnsym.relax.escnn.multiplets import multiplets
from learnsym.relax.likelihood.likelihood import Likelihood
from learnsym.relax.likelihood.reading import coverage_degrees


@final
class EscnnProbabilistic(EscnnConv):
    """`k_λ = k + Σ_ψ k_ψ λ̂(ψ) w_ψ`: the kernel of escnn, and as much of a free one as a likelihood `λ` leaves.

    As `ProbabilisticSteerableConv`, on the basis kernels of escnn. `λ` starts uniform, where the second part is 0.

    Args:
        conv: of escnn.
        likelihood: over the group that its space has here, see `learnsym.groups`; may be shared by layers.
    """

    method = "probabilistic steerable convolution"

    def __init__(self, conv: nn.Module, likelihood: Likelihood | None = None) -> None:
        super().__init__(conv)
        space = _escnn.with_points(self.equivariant.in_type.gspace)
        self.likelihood = Likelihood(_escnn.group_of(space)) if likelihood is None else likelihood
        irreps = _irreps(space, self.likelihood.band_limit_out)
        elements = self.likelihood.elements().double()
        matrices = _matrices(space, self.likelihood.band_limit_out, elements.numpy(force=True).tobytes())
        self.matrices = nn.ModuleList(map(Constant, matrices))
        self.deviation = EscnnDeviation(conv, irreps, self.equivariant.weights.numel())

    def kernel(self) -> Tensor:
        """The kernel as an ordinary convolution has it."""
        masses = self.likelihood.masses()
        # λ, ψ(g_k) -> λ̂(ψ) = Σ_k λ_k ψ(g_k)
        fourier = [torch.einsum("k,kpq->pq", masses, matrix()) for matrix in self.matrices]
        return exact_kernel(self.equivariant) + self.deviation(self.equivariant, fourier)

    def exact_weights(self) -> Tensor:
        """Those of escnn, which a uniform likelihood leaves."""
        return self.equivariant.weights

    def streams(self) -> list[Likelihood]:
        """The likelihood."""
        return [self.likelihood]

    def degrees(self, site: str) -> list[Degree]:
        """The fraction of the group that the likelihood covers, `exp(-KL(λ | uniform))`, and of its reflections."""
        return coverage_degrees(self.likelihood, site)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """Those of the likelihood."""
        return list(self.likelihood.parameters())

    def terms(self) -> tuple[str, ...]:
        """What keeps the mode of the likelihood at the identity, and orders likelihoods along the depth."""
        return ("alignment", "divergence")

    def penalty(self) -> Tensor:
        """The negative log prior of both kernels before `λ`, in nats, up to a constant."""
        return exact_energy(self.equivariant) + self.deviation.penalty()


class EscnnDeviation(nn.Module):
    """`Σ_ψ k_ψ λ̂(ψ) w_ψ` with weights `w_ψ[o, i] = Σ_r pairs[o, i, r] columns_ψ[r]`, of low rank over pairs of fields.

    Args:
        conv: of escnn, whose blocks it has.
        irreps: of escnn, none of them trivial.
        budget: number of weights to stay within; at least rank 1.
    """

    def __init__(self, conv: nn.Module, irreps: Sequence[Any], budget: int) -> None:
        super().__init__()
        blocks = blocks_of(conv)
        found = {block.name: [multiplets(conv, block, irrep) for irrep in irreps] for block in blocks}
        joint = {name: torch.cat([kernels.flatten(0, 1) for kernels in parts]) for name, parts in found.items()}
        self.bases = nn.ModuleDict({name: Basis(kernels) for name, kernels in joint.items()})
        weights = sum(math.prod(block.fields) for block in blocks) + sum(map(len, joint.values()))
        rank = max(1, budget // weights)
        self.pairs = nn.ParameterDict({block.name: torch.empty(*block.fields, rank) for block in blocks})
        self.columns = nn.ModuleDict(
            {name: nn.ParameterList([torch.empty(rank, *k.shape[:2]) for k in parts]) for name, parts in found.items()}
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights anew, with the variance of those of a steerable convolution."""
        for name, pairs in self.pairs.items():
            nn.init.normal_(pairs, std=self._precision(name) ** -0.5)
            for columns in self._columns(name):
                nn.init.normal_(columns, std=pairs.shape[-1] ** -0.5)

    def forward(self, conv: nn.Module, fourier: Sequence[Tensor]) -> Tensor:
        """The kernel, with the matrices `λ̂(ψ)`."""
        return joined(conv, {name: self._block(name, fourier) for name in self.pairs})

    def _block(self, name: str, fourier: Sequence[Tensor]) -> Tensor:
        # columns_ψ -> λ̂(ψ) columns_ψ
        parts = [torch.einsum("rmq,pq->rmp", c, matrix) for c, matrix in zip(self._columns(name), fourier, strict=True)]
        # λ̂(ψ) columns_ψ -> Σ_ψ k_ψ λ̂(ψ) columns_ψ
        kernels = torch.einsum("rd,dabp->rabp", torch.cat([part.flatten(1) for part in parts], 1), self.bases[name]())
        return torch.einsum("oir,rabp->oiabp", self.pairs[name], kernels)

    def penalty(self) -> Tensor:
        """The negative log prior of the weights before `λ`: normal, with the variance that they start with."""
        squares = [
            0.5 * self._precision(name) * torch.einsum("oir,rmq->oimq", pairs, columns).square().sum()
            for name, pairs in self.pairs.items()
            for columns in self._columns(name)
        ]
        return torch.stack(squares).sum()

    def _columns(self, name: str) -> list[nn.Parameter]:
        columns: Any = self.columns[name]
        return [*columns]

    def _precision(self, name: str) -> int:
        row = [other for other in self.pairs if other.startswith(f"{name.partition('-')[0]}-")]
        return max(1, len(row) * self.pairs[name].shape[1] * len(self.bases[name]()))


def _irreps(space: Any, band_limit: int) -> list[Any]:  # noqa: ANN401  of escnn
    """The irreps of escnn but the trivial one: all of a finite group, those up to a band limit of another.

    Raises:
        ValueError: for a group of one element, of which there is nothing to learn.
    """
    fibers = space.fibergroup
    every = fibers.irreps() if fibers.order() > 0 else [fibers.irrep(*key) for key in fibers.bl_irreps(band_limit)]
    found = [irrep for irrep in every if not irrep.is_trivial()]
    if not found:
        raise ValueError(
            f"net: the group of its space {space.name} has one element, so that there is no symmetry to learn; take a "
            "space with a larger group"
        )
    return found


@lru_cache(maxsize=8)
def _matrices(space: Any, band_limit: int, elements: bytes) -> tuple[Tensor, ...]:  # noqa: ANN401
    """The matrices `(K, d, d)` of each irrep, which all layers of a network share and escnn takes long to make."""
    n = space.basespace_action.size
    matrices = torch.frombuffer(bytearray(elements), dtype=torch.float64).view(-1, n, n)
    found = [_escnn.element_in(space, g) for g in matrices]
    values = ([torch.as_tensor(irrep(e)).double() for e in found] for irrep in _irreps(space, band_limit))
    return tuple(map(torch.stack, values))
