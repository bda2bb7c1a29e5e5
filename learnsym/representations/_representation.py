"""What a representation is: matrices that multiply as the elements of a group do."""

from __future__ import annotations

import abc

from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group


class Representation(abc.ABC):
    """Real orthogonal matrices `ρ(g)` with `ρ(g h) = ρ(g) ρ(h)`, given for batches of group elements.

    Representations are frozen dataclasses: they compare, hash, copy and pickle by value.
    """

    group: Group

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """Number `d` of rows of the matrices."""

    @property
    def is_permutation(self) -> bool:
        """Whether all matrices permute the axes, so that any pointwise function commutes with them."""
        return self.size == 1 and self.is_trivial

    @property
    def is_trivial(self) -> bool:
        """Whether all matrices are the identity."""
        return False

    @abc.abstractmethod
    def __call__(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B d d"]:
        """The matrix of each element."""
