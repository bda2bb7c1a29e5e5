"""Irreducible representations of C_N, D_N, SO(2), O(2), SO(3) and O(3), real and orthogonal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.representations._planar import character, determinant, rotation_of_frequency
from learnsym.representations._representation import Representation
from learnsym.representations._spatial import wigner

SUPPORTED = "C_N, D_N, SO(2), O(2), SO(3) or O(3)"


@final
@dataclass(frozen=True)
class Irrep(Representation):
    """An irreducible representation, by its frequency and its parity under reflections.

    In the plane, with `g = R(φ) diag(1, d)` and `d = det g`: `d^parity` for frequency 0; `cos(mφ) d^parity` for the
    frequency `m = N/2` of C_N and D_N; else `R(mφ) diag(1, d)`. In space the Wigner matrix of degree `l`, times
    `d^parity`.

    Args:
        group: C_N, D_N, SO(2), O(2), SO(3) or O(3).
        frequency: `m` or `l`, at most `N/2` for C_N and D_N.
        parity: 1 to change sign under reflections; where there are such.

    Raises:
        ValueError: when the group has no such irreducible representation.

    Example:
        >>> turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
        >>> ls.representations.Irrep(ls.groups.SO2(), 2)(turn)
        tensor([[-1., -0.],
                [ 0., -1.]])
    """

    group: Group
    frequency: int
    parity: int = 0

    def __post_init__(self) -> None:
        count = turns(self.group)
        highest = None if count is None else count // 2
        if self.frequency < 0 or (highest is not None and self.frequency > highest):
            limit = "" if highest is None else f" and at most {highest}"
            raise ValueError(f"frequency: got {self.frequency} for {self.group}, must be at least 0{limit}")
        allowed = (0, 1) if self._has_parities else (0,)
        if self.parity not in allowed:
            raise ValueError(f"parity: got {self.parity} for frequency {self.frequency} of {self.group}, must be 0")

    @property
    def size(self) -> int:
        """1 or 2 in the plane, `2 l + 1` in space."""
        if self.group.space == "space":
            return 2 * self.frequency + 1
        return 1 if self._is_character else 2

    @property
    def is_trivial(self) -> bool:
        """Frequency and parity 0."""
        return self.frequency == 0 and self.parity == 0

    @property
    def columns(self) -> int:
        """Columns of the matrices whose entries are linearly independent functions on the group.

        All but for the rotations `R(mφ)` of C_N and SO(2), where the second column repeats the first (complex type).
        """
        return 1 if self.group.space == "plane" and not has_reflections(self.group) else self.size

    def __call__(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B d d"]:
        """The matrix of each element."""
        if self.group.space == "space":
            return wigner(self.frequency, g) * determinant(g)[..., None, None] ** self.parity
        if self._is_character:
            return character(self.frequency, self.parity, g)
        return rotation_of_frequency(self.frequency, g)

    def __repr__(self) -> str:
        return f"irrep {self.frequency}{'-' if self.parity else ''}"

    @property
    def _is_character(self) -> bool:
        return self.frequency == 0 or 2 * self.frequency == turns(self.group)

    @property
    def _has_parities(self) -> bool:
        return has_reflections(self.group) and (self.group.space == "space" or self._is_character)


def turns(group: Group) -> int | None:
    """The number `N` of rotations of C_N or D_N, 1 of a trivial group; None for SO(2), O(2), SO(3), O(3).

    Raises:
        ValueError: for another group.
    """
    if group.name in ("SO(2)", "O(2)", "SO(3)", "O(3)"):
        return None
    finite = re.fullmatch(r"[CD]_(\d+)", group.name)
    if group.name == "trivial" and group.space in ("plane", "space"):
        return 1
    if not finite:
        raise ValueError(f"group: got {group}, whose representations are not known; take {SUPPORTED}")
    return int(finite[1])


def has_reflections(group: Group) -> bool:
    """Whether some elements have determinant -1."""
    return bool((group.components.det() < 0).any())


def irreps(group: Group, band_limit: int | None = None) -> list[Irrep]:
    """Irreducible representations up to a frequency, lowest first.

    Args:
        group: C_N, D_N, SO(2), O(2), SO(3) or O(3).
        band_limit: highest frequency; may be left out for a finite group, which has `N/2`.

    Raises:
        ValueError: without a band limit for a Lie group, or above `N/2` for a finite one.

    Example:
        >>> ls.representations.irreps(ls.groups.Dihedral(4))
        [irrep 0, irrep 0-, irrep 1, irrep 2, irrep 2-]
    """
    count = turns(group)
    if band_limit is None and count is None:
        raise ValueError(f"band_limit: got None, must be given for {group}; 2 to 4 are usual")
    highest = band_limit if band_limit is not None else (count or 0) // 2
    by_frequency = []
    for frequency in range(highest + 1):
        even = Irrep(group, frequency)
        by_frequency += [even, Irrep(group, frequency, 1)] if even._has_parities else [even]
    return by_frequency
