"""Representations made of others: restricted to a subgroup, and those of circular and spherical harmonics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.representations._planar import determinant, rotation_of_frequency
from learnsym.representations._representation import Representation
from learnsym.representations._spatial import wigner


@final
@dataclass(frozen=True)
class Restriction(Representation):
    """A representation of a larger group, for the elements of a subgroup only.

    Raises:
        ValueError: when the subgroup has an element that the larger group does not have.
    """

    of: Representation
    group: Group

    def __post_init__(self) -> None:
        larger, one = self.of.group, self.group.exp(self.group.components.new_ones(self.group.dim))
        if self.group.n != larger.n or not bool(larger.contains(self.group.components @ one).all()):
            raise ValueError(f"group: got {self.group}, which is no subgroup of {larger}")

    @property
    def size(self) -> int:
        """As before."""
        return self.of.size

    @property
    def is_permutation(self) -> bool:
        """As before."""
        return self.of.is_permutation

    @property
    def is_trivial(self) -> bool:
        """As before."""
        return self.of.is_trivial

    def __call__(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B d d"]:
        """The matrix of each element."""
        return self.of(g)

    def __repr__(self) -> str:
        return f"{self.of!r} of {self.of.group}"


@final
@dataclass(frozen=True)
class Harmonics(Representation):
    """How circular or spherical harmonics turn: `Y(g x) = ρ(g) Y(x)` with `Y` of one degree.

    In the plane `Y = (cos jφ, sin jφ)`, or 1 for degree 0; in space the `2 j + 1` real spherical harmonics.
    """

    group: Group
    degree: int

    @property
    def size(self) -> int:
        """Number of harmonics of the degree."""
        return 2 * self.degree + 1 if self.group.space == "space" else min(2, self.degree + 1)

    @property
    def is_trivial(self) -> bool:
        """Degree 0."""
        return self.degree == 0

    def __call__(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B d d"]:
        """The matrix of each element."""
        if self.group.space == "space":
            return wigner(self.degree, g) * determinant(g)[..., None, None] ** self.degree
        if self.degree == 0:
            return g.new_ones(*g.shape[:-2], 1, 1)
        return rotation_of_frequency(self.degree, g)
