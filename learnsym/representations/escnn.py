"""Representations of escnn, for the elements of a group of this library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym import _escnn
from learnsym.groups import Group
from learnsym.representations._representation import Representation


@final
@dataclass(frozen=True)
class EscnnRepresentation(Representation):
    """The matrices that escnn has for the element that moves points of its space as `g` does.

    Args:
        group: that of the space, see `learnsym._escnn.group_of`.
        space: of escnn.
        of: a representation of escnn.
    """

    group: Group
    space: Any
    of: Any

    @property
    def size(self) -> int:
        """That of escnn."""
        return self.of.size

    @property
    def is_permutation(self) -> bool:
        """Whether escnn lets pointwise functions act on it."""
        return "pointwise" in self.of.supported_nonlinearities

    @property
    def is_trivial(self) -> bool:
        """That of escnn."""
        return self.of.is_trivial()

    def __call__(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B d d"]:
        """The matrix of each element."""
        flat = g.reshape(-1, *g.shape[-2:])
        distinct, index = flat.detach().cpu().double().unique(dim=0, return_inverse=True)
        elements = [_escnn.element_in(self.space, one) for one in distinct]
        matrices = torch.stack([torch.as_tensor(self.of(element)).double() for element in elements])
        return matrices[index].to(g).reshape(*g.shape[:-2], self.size, self.size)

    def __repr__(self) -> str:
        return f"{self.of.name} of escnn"
