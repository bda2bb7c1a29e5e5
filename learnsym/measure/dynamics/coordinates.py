"""All parameters of a network as one vector, and its directions along and across the equivariant subspace.

Legend of axes: `D` numbers of all parameters, `E` directions along, `R` directions across.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.relax import AdmissibleSpace, spanned_networks


@dataclass(frozen=True)
class Block:
    """One parameter: its numbers as entries that move together, and two orthonormal bases that complete each other."""

    parameter: Tensor
    along: Float[Tensor, "d E"]
    across: Float[Tensor, "d R"]
    space: AdmissibleSpace | None
    """Of an ordinary parameter; None for coordinates, whose last axis moves together."""

    def entries(self, value: Tensor) -> Tensor:
        """`(*N, d)`."""
        if self.space is None:
            return value if value.ndim else value[None]
        return self.space.moved.entries(value)

    def put(self, entries: Tensor) -> Tensor:
        """The parameter with such entries."""
        if self.space is None:
            return entries.view_as(self.parameter)
        return self.space.moved.put(self.parameter, entries)

    def copies(self) -> tuple[int, ...]:
        """`*N`."""
        return tuple(self.entries(self.parameter).shape[:-1])


class Subspace:
    """Some directions of the vector of all parameters: from their coordinates to the vector, and back."""

    def __init__(self, blocks: list[Block], which: str) -> None:
        self.blocks, self.which = blocks, which
        self.counts = [math.prod(block.copies()) * self._basis(block).shape[1] for block in blocks]
        self.size = sum(self.counts)

    def embed(self, z: Float[Tensor, "E"]) -> list[Tensor]:
        """The parameters of a combination of the directions."""
        values = []
        for block, part in zip(self.blocks, z.split(self.counts), strict=True):
            basis = self._basis(block)
            values.append(block.put(part.view(*block.copies(), basis.shape[1]) @ basis.mT))
        return values

    def restrict(self, values: list[Tensor]) -> Float[Tensor, "E"]:
        """The coordinates of the part of some parameters in these directions."""
        parts = [
            (block.entries(value) @ self._basis(block)).flatten()
            for block, value in zip(self.blocks, values, strict=True)
        ]
        return torch.cat(parts)

    def _basis(self, block: Block) -> Tensor:
        return block.along if self.which == "along" else block.across


def blocks_of(model: nn.Module, spaces: Mapping[str, AdmissibleSpace]) -> dict[str, Block]:
    """The trainable parameters of a network by name; those without a space lie along the subspace as a whole.

    Args:
        model: a network.
        spaces: of ordinary parameters by name; those of spanned networks are known.
    """
    found = {}
    spanned = {
        ".".join(filter(None, (path, "coordinates", str(index)))): net.spaces[name]
        for path, net in spanned_networks(model).items()
        for index, name in enumerate(net.names)
    }
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name in spanned:
            space = spanned[name]
            found[name] = Block(parameter, space.along.to(parameter), space.across.to(parameter), None)
        elif name in spaces:
            space = spaces[name]
            found[name] = Block(parameter, space.along.to(parameter), space.across.to(parameter), space)
        else:
            last = parameter.shape[-1] if parameter.ndim else 1
            eye = torch.eye(last, dtype=parameter.dtype, device=parameter.device)
            found[name] = Block(parameter, eye, eye[:, :0], None)
    return found
