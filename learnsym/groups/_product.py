"""Products of groups: block-diagonal matrices, one block for each factor."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.groups._group import Generator, Group
from learnsym.groups._matrix_group import Formulas, MatrixGroup


def Product(*groups: MatrixGroup) -> MatrixGroup:
    """The direct product: each element holds one element of every factor, as a block of its matrix.

    Coordinates are those of the factors one after the other; names that would repeat get the number of their factor.

    Args:
        groups: two factors or more; a factor that is itself a product counts as one block.

    Raises:
        ValueError: for fewer than two factors, or one with more elements than it can list.

    Example:
        >>> ls.groups.Product(ls.groups.SO2(), ls.groups.Colour())
        SO(2) x colour
    """
    if len(groups) < 2:
        raise ValueError(f"groups: got {len(groups)}, a product needs at least 2; use the group itself")
    for group in groups:
        if group.order is not None and group.order != len(group.components):
            raise ValueError(f"groups: {group} has too many elements to list; use a product of smaller groups")
    return MatrixGroup(
        name=" x ".join(f"({group})" if group.factors else str(group) for group in groups),
        space="product",
        generators=_generators(groups),
        algebra=_algebra(groups),
        components=torch.stack(
            [torch.block_diag(*k) for k in itertools.product(*(group.components for group in groups))]
        ),
        is_compact=all(group.is_compact for group in groups),
        formulas=Blocks(groups),
        factors=groups,
    )


def split(group: MatrixGroup, g: Tensor) -> tuple[Tensor, ...]:
    """The blocks of elements of a product, one tensor for each factor.

    Raises:
        ValueError: when the group is not a product.
    """
    if not group.factors:
        raise ValueError(f"group: {group} is not a product; make one with Product(group, other)")
    return _split(group.factors, g)


@dataclass(frozen=True)
class Blocks(Formulas):
    """The formulas of the factors, block by block."""

    groups: tuple[MatrixGroup, ...]

    def inverse(self, g: Tensor) -> Tensor:
        """Inverses of the blocks."""
        return _join([group.inverse(block) for group, block in zip(self.groups, _split(self.groups, g), strict=True)])

    def exp(self, a: Tensor) -> Tensor:
        """Exponentials of the parts of `a`."""
        return _join([group.exp(part) for group, part in zip(self.groups, self._parts(a), strict=True)])

    def log(self, g: Tensor) -> Tensor:
        """Logarithms of the blocks."""
        blocks = zip(self.groups, _split(self.groups, g), strict=True)
        return torch.cat([group.log(block) for group, block in blocks], dim=-1)

    def haar(self, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Independent draws of the blocks."""
        options = {"dtype": like.dtype, "device": like.device, "generator": generator}
        return _join([group.haar(*shape, **options) for group in self.groups])

    def log_haar(self, a: Tensor) -> Tensor:
        """The sum over the factors."""
        parts = zip(self.groups, self._parts(a), strict=True)
        return torch.stack([group.log_haar(part) for group, part in parts]).sum(0)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Zero outside of the blocks, each block in its group."""
        blocks = _split(self.groups, g)
        inside = [group.contains(block, atol) for group, block in zip(self.groups, blocks, strict=True)]
        zero = (g - _join(list(blocks))).abs().amax((-2, -1)) <= atol
        return torch.stack([zero, *inside]).all(0)

    def component(self, g: Tensor) -> Tensor:
        """Number in mixed radix, the last factor fastest."""
        index = torch.zeros(g.shape[:-2], dtype=torch.long, device=g.device)
        for group, block in zip(self.groups, _split(self.groups, g), strict=True):
            index = index * len(group.components) + group.component(block)
        return index

    def _parts(self, a: Tensor) -> tuple[Tensor, ...]:
        return a.split([group.dim for group in self.groups], dim=-1)


def _split(groups: tuple[Group, ...], g: Tensor) -> tuple[Tensor, ...]:
    ends = list(itertools.accumulate(group.n for group in groups))
    starts = [0, *ends[:-1]]
    return tuple(g[..., start:end, start:end] for start, end in zip(starts, ends, strict=True))


def _join(blocks: list[Tensor]) -> Tensor:
    n = sum(block.shape[-1] for block in blocks)
    padded, start = [], 0
    for block in blocks:
        end = start + block.shape[-1]
        padded.append(F.pad(block, (start, n - end, start, n - end)))
        start = end
    return torch.stack(padded).sum(0)


def _generators(groups: tuple[MatrixGroup, ...]) -> tuple[Generator, ...]:
    names = [generator.name for group in groups for generator in group.generators]
    return tuple(
        replace(generator, name=f"{generator.name}_{number}") if names.count(generator.name) > 1 else generator
        for number, group in enumerate(groups, start=1)
        for generator in group.generators
    )


def _algebra(groups: tuple[MatrixGroup, ...]) -> Tensor:
    n = sum(group.n for group in groups)
    parts, start = [], 0
    for group in groups:
        end = start + group.n
        parts.append(F.pad(group.algebra, (start, n - end, start, n - end)))
        start = end
    return torch.cat(parts)
