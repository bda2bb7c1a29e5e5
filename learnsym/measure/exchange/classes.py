"""Exchangeability: the effect of exchanging each two positions, and the partition that follows from it.

Legend of axes: `N` positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Bool, Float, Int
from torch import Tensor

from learnsym.groups import MatrixGroup, YoungSubgroup
from learnsym.statistics.partition import connected

Verdict = Literal["exchangeable", "told apart", "undecided"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Exchangeability:
    """The effect of exchanging two positions, for each pair, and the classes of exchangeable positions.

    All intervals hold at once with probability `level` (Bonferroni). A pair is *exchangeable* when its interval ends
    below the margin, *told apart* when it begins above, and else *undecided*. A pair that was not asked about has NaN
    and is told apart.
    """

    effects: Float[Tensor, "N N"]
    """0 for no effect; 1 is that of other examples' outputs, see `exchangeability`."""
    low: Float[Tensor, "N N"]
    high: Float[Tensor, "N N"]
    counts: Int[Tensor, "N N"]
    """Examples in which both positions are there; -1 for pairs that were not asked about."""
    margin: float
    level: float

    @property
    def exchangeable(self) -> Bool[Tensor, "N N"]:
        """Pairs whose effect is below the margin."""
        return self.high <= self.margin

    @property
    def told_apart(self) -> Bool[Tensor, "N N"]:
        """Pairs whose effect is above the margin, and pairs that were not asked about."""
        return (self.low > self.margin) | (self.counts < 0)

    def verdict(self, i: int, j: int) -> Verdict:
        """What is said of a pair of positions."""
        if bool(self.exchangeable[i, j]):
            return "exchangeable"
        return "told apart" if bool(self.told_apart[i, j]) else "undecided"

    @property
    def classes(self) -> list[list[int]]:
        """The connected components of exchangeable pairs: if `i, j` and `j, k` may change places, so may `i, k`."""
        return connected(self.exchangeable)

    @property
    def group(self) -> MatrixGroup:
        """The permutations within the classes."""
        return YoungSubgroup(len(self.effects), self.classes)

    @property
    def undecided(self) -> list[tuple[int, int]]:
        """Pairs of different classes that were not told apart: more examples may join these classes."""
        return [(i, j) for i, j, same in self._pairs() if not same and not bool(self.told_apart[i, j])]

    @property
    def conflicts(self) -> list[tuple[int, int]]:
        """Pairs of one class that were told apart: effects below the margin have added up along a chain."""
        return [(i, j) for i, j, same in self._pairs() if same and bool(self.told_apart[i, j])]

    def _pairs(self) -> Iterator[tuple[int, int, bool]]:
        label = {position: k for k, each in enumerate(self.classes) for position in each}
        return ((i, j, label[i] == label[j]) for i in label for j in label if i < j)

    def __str__(self) -> str:
        classes = " ".join("{" + ", ".join(map(str, each)) + "}" for each in self.classes)
        rest = {"undecided": self.undecided, "conflicts": self.conflicts}
        said = "".join(f"; {name}: {', '.join(f'{i}-{j}' for i, j in pairs)}" for name, pairs in rest.items() if pairs)
        return f"exchangeable: {classes} (effect of an exchange below {self.margin:g} at {self.level:.0%}){said}"
