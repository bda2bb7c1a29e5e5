"""What is known of a task: a range along a generator, whether one element is a symmetry, or the axis that is left."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from learnsym.degrees import Notion
from learnsym.symmetry import SymmetryLike, as_symmetry

Shape = Literal["none", "box", "normal", "modes", "two ranges"]
SAME_SPREAD = math.sqrt(3.0)
"""Half-width of a box over its standard deviation."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """The range of a generator over which a symmetry holds.

    `distribution`: the half-width of the law from which examples were moved; of a normal law that of the box with the
    same standard deviation, of several modes that of each, of two ranges the wider one. `task`: the largest half-width
    of augmentation under which no moved example gets the look of another label.
    """

    symmetry: SymmetryLike
    generator: str
    half_width: float
    cap: float
    """The largest half-width that makes sense, in the unit of the generator: errors are shares of it."""
    notion: Notion = "distribution"
    shape: Shape = "box"
    modes: tuple[float, ...] = (0.0,)
    moves: float | None = None
    """On open orbits the largest move by which poses are read; None on closed ones."""
    site: Literal["input", "layer"] = "input"

    @property
    def ask(self) -> str:
        """The question that it answers."""
        return "layer-wise" if self.site == "layer" else f"{self.notion} extent"

    @property
    def present(self) -> bool:
        """Whether there is any symmetry at all."""
        return self.half_width > 0

    @property
    def unit(self) -> str:
        """Of the half-width."""
        return next(g.unit for g in as_symmetry(self.symmetry).group.generators if g.name == self.generator)

    def __str__(self) -> str:
        around = f" about {', '.join(f'{m:g}' for m in self.modes)}" if len(self.modes) > 1 else ""
        width = "none" if not self.present else f"±{self.half_width:.3g} {self.unit}"
        return f"{self.generator}: {width}{around} of ±{self.cap:g} ({self.notion})"


@dataclass(frozen=True, kw_only=True)
class Closed:
    """Whether the law of the examples is the same after one element of a group has moved all of them."""

    symmetry: SymmetryLike
    element: Callable[[], Tensor]
    title: str
    holds: bool

    ask = "closure"

    @property
    def present(self) -> bool:
        """Whether the element is a symmetry."""
        return self.holds

    def __str__(self) -> str:
        return f"{self.title}: {'closed' if self.holds else 'not closed'} (distribution)"


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The axis of space about which targets turn with the inputs: all of them, one, or none."""

    kept: Literal["all rotations", "one axis", "none"]
    direction: tuple[float, float, float] | None = None

    ask = "residual axis"

    @property
    def present(self) -> bool:
        """Whether there is any symmetry at all."""
        return self.kept != "none"

    def __str__(self) -> str:
        about = "" if self.direction is None else f" ({', '.join(f'{v:.2g}' for v in self.direction)})"
        return f"rotations of space: {self.kept}{about} (task)"


Truth = Range | Closed | Axis
