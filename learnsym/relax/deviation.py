"""The part of a kernel that a likelihood lets leave the equivariant ones: `Σ_ψ k_ψ λ̂(ψ) w_ψ`, `ψ` not trivial.

The columns `k_ψ` are kernels that turn by the irrep `ψ`; the matrices `λ̂(ψ)` come from the likelihood, the weights
`w_ψ` are learned.

Legend of axes: `o`, `i` fields out and in, `a`, `b` components, `r` rank, `M` multiplets, `d` size of an irrep,
`R` rings, `*S` pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import Basis, Constant, FieldType
from learnsym.equivariant.exact_layer import joined
from learnsym.equivariant.steerable.conv import CONVOLUTIONS, expanded
from learnsym.equivariant.steerable.kernel_basis import coupling
from learnsym.equivariant.steerable.scalar_basis import Multiplets, multiplets
from learnsym.representations import Irrep, Representation, isotypic

VANISHING = 1e-6

Fourier = Sequence[Tensor]
Columns = dict[tuple[int, int], tuple[Tensor, ...]]


class Deviation(nn.Module):
    """`Σ_ψ k_ψ λ̂(ψ) w_ψ` over irreps other than the trivial one, with weights of low rank over pairs of fields.

        w_ψ[o, i, :] = Σ_r pairs[o, i, r] columns_ψ[r, :]

    Args:
        in_type, out_type, kernel_size, band_limit: as of the convolution.
        irreps: the irreps `ψ`, none of them trivial.
        budget: number of weights to stay within when `rank` is None; at least rank 1.
        rank: of the weights; the number of pairs of fields or of columns gives every kernel.
    """

    def __init__(
        self,
        in_type: FieldType,
        out_type: FieldType,
        kernel_size: int,
        band_limit: int | None,
        irreps: tuple[Irrep, ...],
        budget: int,
        rank: int | None,
    ) -> None:
        super().__init__()
        self.in_type, self.out_type, self.irreps = in_type, out_type, irreps
        self.kernel_size = kernel_size
        columns = {
            (o, i): kernel_columns(source, target, kernel_size, band_limit, irreps)
            for o, (target, _) in enumerate(out_type.parts)
            for i, (source, _) in enumerate(in_type.parts)
        }
        self.bases = nn.ModuleDict({f"{o}-{i}": Basis(flattened(by_irrep)) for (o, i), by_irrep in columns.items()})
        self.rank = self._rank(budget) if rank is None else rank
        self.pairs = nn.ParameterDict(
            {f"{o}-{i}": torch.empty(out_type.parts[o][1], in_type.parts[i][1], self.rank) for o, i in columns}
        )
        multiplets = [sum(len(by_irrep[index]) for by_irrep in columns.values()) for index in range(len(irreps))]
        self.columns = nn.ParameterList(
            [torch.empty(self.rank, count, irrep.size) for count, irrep in zip(multiplets, irreps, strict=True)]
        )
        self.order, self.streams = Constant(_order(columns, irreps)), nn.ModuleList(_streams(columns, irreps))
        self.reset_parameters()

    def _rank(self, budget: int) -> int:
        """The largest rank within the budget."""
        pairs = self.out_type.fields * self.in_type.fields
        return max(1, budget // (pairs + sum(self._sizes())))

    def _sizes(self) -> list[int]:
        return [len(basis()) for basis in self.bases.values()]

    def reset_parameters(self) -> None:
        """Weights anew, with the variance of those of a steerable convolution."""
        for name, pairs in self.pairs.items():
            nn.init.normal_(pairs, std=self._precision(pairs.shape[1], len(self.bases[name]())) ** -0.5)
        for columns in self.columns:
            nn.init.normal_(columns, std=self.rank**-0.5)

    def forward(self, fourier: Sequence[Fourier]) -> Float[Tensor, "c_out c_in *S"]:
        """The kernel, with the matrices `λ̂(ψ)` for each part of the output."""
        # columns_ψ -> λ̂(ψ) columns_ψ
        blocks = self._smoothed(fourier)
        # λ̂(ψ) columns_ψ -> Σ_ψ k_ψ λ̂(ψ) w_ψ
        return joined(self.in_type, self.out_type, {name: self._block(name, blocks[name]) for name in blocks})

    def _smoothed(self, fourier: Sequence[Fourier]) -> dict[str, Tensor]:
        """`λ̂(ψ) columns_ψ`, `(r, D)` for each block."""
        smoothed = [columns.new_zeros(self.rank, 0) for columns in self.columns[:1]]
        for index, (columns, stream) in enumerate(zip(self.columns, self.streams, strict=True)):
            matrices = torch.stack([part[index] for part in fourier])[stream()]
            smoothed.append(torch.einsum("rmq,mpq->rmp", columns, matrices).flatten(1))
        by_block = torch.cat(smoothed, 1)[:, self.order()].split(self._sizes(), 1)
        return dict(zip(self.bases, by_block, strict=True))

    def _block(self, name: str, columns: Tensor) -> Tensor:
        basis = self.bases[name]()
        # λ̂(ψ) columns_ψ -> Σ_ψ k_ψ λ̂(ψ) columns_ψ
        kernels = (columns @ basis.flatten(1)).unflatten(-1, basis.shape[1:])
        # Σ_ψ k_ψ λ̂(ψ) columns_ψ -> Σ_r pairs_r Σ_ψ k_ψ λ̂(ψ) columns_ψr
        return expanded(self.pairs[name], kernels)

    def square_norms(self, fourier: Sequence[Fourier]) -> Float[Tensor, "P"]:
        """Squared norm of the kernel for each part of the output, in the inner product that the group preserves.

        That of the weights, with orthonormal columns; the pixel grid keeps it up to its sampling.
        """
        squares = self._squares(fourier)
        names = [[f"{o}-{i}" for i in range(len(self.in_type.parts))] for o in range(len(self.out_type.parts))]
        sizes = [target.size for target, _ in self.out_type.parts]
        rows = [torch.stack([squares[name] for name in row]).sum() for row in names]
        return torch.stack([size * row for size, row in zip(sizes, rows, strict=True)])

    def penalty(self) -> Float[Tensor, ""]:
        """The negative log prior of the weights before `λ`: normal, with the variance that they start with."""
        terms = [
            0.5 * square * self._precision(self.pairs[name].shape[1], len(self.bases[name]()))
            for name, square in self._squares(self.free()).items()
        ]
        return torch.stack(terms).sum()

    def free(self) -> list[list[Tensor]]:
        """The matrices of `λ` at the identity, which changes nothing."""
        like = next(iter(self.pairs.values()))
        eyes = [torch.eye(irrep.size, dtype=like.dtype, device=like.device) for irrep in self.irreps]
        return [eyes] * len(self.out_type.parts)

    def _squares(self, fourier: Sequence[Fourier]) -> dict[str, Tensor]:
        """`Σ_oi |pairs_oi columns|²` of each block, by `tr(pairsᵀ pairs columns columnsᵀ)`."""
        blocks = self._smoothed(fourier)
        pairs = {name: self.pairs[name].flatten(0, 1) for name in blocks}
        return {name: ((pairs[name].mT @ pairs[name]) * (block @ block.mT)).sum() for name, block in blocks.items()}

    def _precision(self, in_count: int, columns: int) -> int:
        return len(self.in_type.parts) * in_count * max(columns, 1)

    def extra_repr(self) -> str:
        """Rank and irreps."""
        space = CONVOLUTIONS[self.in_type.group.space][2]
        return f"rank={self.rank}, irreps={list(self.irreps)}, kernel={self.kernel_size}^{space}"


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
    by_irrep: list[list[Tensor]] = [[] for _ in irreps]
    for functions in multiplets(source.group, kernel_size, band_limit):
        # ρ_out ⊗ ρ_in ⊗ ψ_j -> T
        components = isotypic(coupling(source, target, functions.degree), irreps)
        for kernels, component in zip(by_irrep, components, strict=True):
            # T, Y_j -> k_i
            kernels.append(_kernels(component.embeddings, functions, target.size, source.size))
    return tuple(_scaled(torch.cat(kernels), target.size) for kernels in by_irrep)


def _kernels(embeddings: Float[Tensor, "K D d"], functions: Multiplets, a: int, b: int) -> Float[Tensor, "M d a b *S"]:
    tensors = embeddings.unflatten(1, (a, b, functions.values.shape[1]))
    return torch.einsum("kabcp,rc...->krpab...", tensors, functions.values).flatten(0, 1)


def _scaled(kernels: Float[Tensor, "M d a b *S"], size: int) -> Tensor:
    """One scale for each multiplet, whose components must keep their ratio."""
    norms = kernels.flatten(1).norm(dim=1)
    nonzero = norms > VANISHING
    scale = (size * kernels.shape[1]) ** 0.5 / norms[nonzero]
    return kernels[nonzero] * scale.view(-1, *[1] * (kernels.ndim - 1))


def flattened(columns: Sequence[Tensor]) -> Float[Tensor, "D a b *S"]:
    """All kernels in one axis, irrep by irrep."""
    return torch.cat([kernels.flatten(0, 1) for kernels in columns])


def _order(columns: Columns, irreps: tuple[Irrep, ...]) -> Tensor:
    """Where the columns of each block lie among those stored irrep by irrep."""
    places: dict[tuple[tuple[int, int], int], Tensor] = {}
    start = 0
    for index, irrep in enumerate(irreps):
        for block, by_irrep in columns.items():
            count = len(by_irrep[index]) * irrep.size
            places[block, index] = torch.arange(start, start + count)
            start += count
    ordered = [places[block, index] for block in columns for index in range(len(irreps))]
    return torch.cat(ordered) if ordered else torch.arange(0)


def _streams(columns: Columns, irreps: tuple[Irrep, ...]) -> list[Constant]:
    """The part of the output to which each multiplet belongs."""
    return [
        Constant(torch.tensor([o for (o, _), by_irrep in columns.items() for _ in by_irrep[index]]).long())
        for index in range(len(irreps))
    ]
