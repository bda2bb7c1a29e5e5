"""The part of a kernel that a likelihood lets leave the equivariant ones.

Legend of axes: `o`, `i` fields out and in, `a`, `b` components, `r` rank, `M` multiplets, `d` size of an irrep.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import Constant, FieldType
from learnsym.equivariant.exact_layer import joined
from learnsym.equivariant.steerable.conv import CONVOLUTIONS, expanded
from learnsym.relax.likelihood.columns import flattened, kernel_columns
from learnsym.representations import Irrep

Fourier = Sequence[Tensor]


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
        self.bases = nn.ModuleDict({f"{o}-{i}": Constant(flattened(found)) for (o, i), found in columns.items()})
        self.rank = self._rank(budget) if rank is None else rank
        self.pairs = nn.ParameterDict(
            {f"{o}-{i}": torch.empty(out_type.parts[o][1], in_type.parts[i][1], self.rank) for o, i in columns}
        )
        multiplets = [sum(len(found[index]) for found in columns.values()) for index in range(len(irreps))]
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
        blocks = dict(zip(self.bases, self._smoothed(fourier).split(self._sizes(), 1), strict=True))
        return joined(self.in_type, self.out_type, {name: self._block(name, blocks[name]) for name in blocks})

    def _smoothed(self, fourier: Sequence[Fourier]) -> Float[Tensor, "r D"]:
        """`λ̂(ψ) columns_ψ`, block by block."""
        found = [columns.new_zeros(self.rank, 0) for columns in self.columns[:1]]
        for index, (columns, stream) in enumerate(zip(self.columns, self.streams, strict=True)):
            matrices = torch.stack([part[index] for part in fourier])[stream()]
            found.append(torch.einsum("rmq,mpq->rmp", columns, matrices).flatten(1))
        return torch.cat(found, 1)[:, self.order()]

    def _block(self, name: str, columns: Tensor) -> Tensor:
        basis = self.bases[name]()
        kernels = (columns @ basis.flatten(1)).unflatten(-1, basis.shape[1:])
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
        blocks = dict(zip(self.bases, self._smoothed(fourier).split(self._sizes(), 1), strict=True))
        pairs = {name: self.pairs[name].flatten(0, 1) for name in blocks}
        return {name: ((pairs[name].mT @ pairs[name]) * (block @ block.mT)).sum() for name, block in blocks.items()}

    def _precision(self, in_count: int, columns: int) -> int:
        return len(self.in_type.parts) * in_count * max(columns, 1)

    def extra_repr(self) -> str:
        """Rank and irreps."""
        space = CONVOLUTIONS[self.in_type.group.space][2]
        return f"rank={self.rank}, irreps={list(self.irreps)}, kernel={self.kernel_size}^{space}"


Columns = dict[tuple[int, int], tuple[Tensor, ...]]


def _order(columns: Columns, irreps: tuple[Irrep, ...]) -> Tensor:
    """Where the columns of each block lie among those stored irrep by irrep."""
    places: dict[tuple[tuple[int, int], int], Tensor] = {}
    start = 0
    for index, irrep in enumerate(irreps):
        for block, found in columns.items():
            count = len(found[index]) * irrep.size
            places[block, index] = torch.arange(start, start + count)
            start += count
    ordered = [places[block, index] for block in columns for index in range(len(irreps))]
    return torch.cat(ordered) if ordered else torch.arange(0)


def _streams(columns: Columns, irreps: tuple[Irrep, ...]) -> list[Constant]:
    """The part of the output to which each multiplet belongs."""
    return [
        Constant(torch.tensor([block[0] for block, found in columns.items() for _ in range(len(found[index]))]).long())
        for index in range(len(irreps))
    ]
