"""The kernel of a convolution or linear map of escnn in blocks, one for each pair of representations.

Legend of axes: `o`, `i` fields out and in, `a`, `b` their components, `K` basis kernels, `P` points of the kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Block:
    """Where the kernels from one representation to another lie in a filter, and their weights among all."""

    name: str
    pair: tuple[str, str]
    """Names of both representations, as escnn has them."""
    source: Any
    target: Any
    rows: Int[Tensor, "o a"]
    columns: Int[Tensor, "i b"]
    weights: slice
    """Empty where there is no equivariant kernel."""

    @property
    def fields(self) -> tuple[int, int]:
        """Numbers of fields out and in."""
        return len(self.rows), len(self.columns)


def blocks_of(conv: Any) -> list[Block]:  # noqa: ANN401  of escnn, as everywhere below
    """The blocks of a convolution, in a fixed order."""
    expansion = conv.basisexpansion
    sources, targets = _channels(expansion._in_reprs), _channels(expansion._out_reprs)
    found = []
    for o, (target, rows) in enumerate(targets):
        for i, (source, columns) in enumerate(sources):
            pair = (source.name, target.name)
            span = slice(*expansion._weights_ranges.get(pair, (0, 0)))
            found.append(Block(f"{o}-{i}", pair, source, target, rows, columns, span))
    return found


def basis_of(conv: Any, block: Block) -> Float[Tensor, "K a b P"]:  # noqa: ANN401
    """The equivariant kernels of a block, as escnn has sampled them."""
    expansion = conv.basisexpansion
    name = f"block_expansion_{expansion._escape_pair(block.pair)}"
    if not hasattr(expansion, name):
        return conv.weights.new_zeros(0, block.target.size, block.source.size, expansion.S)
    return getattr(expansion, name).sampled_basis


def exact_kernel(conv: Any) -> Float[Tensor, "c_out c_in *S"]:  # noqa: ANN401
    """The kernel that escnn makes of its weights; from input to output for a transposed convolution, too."""
    kernel = conv.expand_parameters()[0]
    return kernel.transpose(0, 1) if is_transposed(conv) else kernel


def joined(conv: Any, values: Mapping[str, Float[Tensor, "o i a b P"]]) -> Float[Tensor, "c_out c_in *S"]:  # noqa: ANN401
    """The kernel made of blocks."""
    found = [block for block in blocks_of(conv) if block.name in values]
    like = values[found[0].name]
    kernel = like.new_zeros(sum(r.size for r in conv.basisexpansion._out_reprs), _inputs(conv), conv.basisexpansion.S)
    for block in found:
        value = values[block.name].transpose(1, 2).flatten(0, 1).flatten(1, 2)
        kernel[block.rows.flatten()[:, None], block.columns.flatten()] = value
    return kernel.reshape(*kernel.shape[:2], *grid_of(conv))


def nearest_weights(conv: Any, kernel: Float[Tensor, "c_out c_in *S"]) -> Float[Tensor, "W"]:  # noqa: ANN401
    """The weights of the equivariant kernel nearest to a given one."""
    weights, flat = torch.zeros_like(conv.weights), kernel.reshape(*kernel.shape[:2], -1)
    for block in blocks_of(conv):
        basis = basis_of(conv, block)
        if len(basis):
            o, i = block.fields
            part = flat[block.rows.flatten()[:, None], block.columns.flatten()]
            pairs = part.unflatten(0, (o, -1)).unflatten(2, (i, -1)).transpose(1, 2).flatten(2)
            inverse = torch.linalg.pinv(basis.flatten(1).double()).to(pairs)
            weights[block.weights] = (pairs @ inverse).flatten()
    return weights


def nearest_kernel(conv: Any, kernel: Float[Tensor, "c_out c_in *S"]) -> Float[Tensor, "c_out c_in *S"]:  # noqa: ANN401
    """The projection of a kernel onto the equivariant ones."""
    return conv.basisexpansion(nearest_weights(conv, kernel)).reshape(kernel.shape)


def is_transposed(conv: Any) -> bool:  # noqa: ANN401
    """Whether a convolution is transposed, of which torch has kernels from output to input."""
    return hasattr(conv, "output_padding")


def grid_of(conv: Any) -> tuple[int, ...]:  # noqa: ANN401
    """Pixels of the kernel along each axis; none of a linear map."""
    return (conv.kernel_size,) * conv.d if hasattr(conv, "kernel_size") else ()


def _inputs(conv: Any) -> int:  # noqa: ANN401
    return sum(representation.size for representation in conv.basisexpansion._in_reprs)


def _channels(representations: Sequence[Any]) -> list[tuple[Any, Tensor]]:
    """Each representation once, with the channels of all its fields; named ones are the same, as for escnn."""
    starts = [0, *accumulate(r.size for r in representations)]
    by_name: dict[str, tuple[Any, list[Tensor]]] = {}
    for representation, start in zip(representations, starts, strict=False):
        channels = by_name.setdefault(representation.name, (representation, []))[1]
        channels.append(torch.arange(start, start + representation.size))
    return [(representation, torch.stack(channels)) for representation, channels in by_name.values()]
