"""Colours, dashes and markers of the arms of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from learnsym.report.figures.style import DASHES, TWIN_COLOURS

OTHERS = ("#D55E00", "#CC79A7", "#56B4E9", "#7A5C00", "#332288")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an arm is drawn."""

    colour: str
    dash: Any
    marker: str


def arm_looks(arms: Sequence[str]) -> dict[str, Look]:
    """The look of each arm: that of the twin of its name, else the next free colour by order.

    Example:
        >>> from learnsym.report.figures.arms import arm_looks
        >>> looks = arm_looks(["plain", "augmented", "shifted"])
        >>> looks["augmented"].colour == ls.report.figures.TWIN_COLOURS["fixed"], looks["shifted"].colour
        (True, '#D55E00')
    """
    colours = {**TWIN_COLOURS, "augmented": TWIN_COLOURS["fixed"]}
    dashes = {**DASHES, "augmented": DASHES["fixed"]}
    free = [arm for arm in arms if arm not in colours]
    colours |= {arm: OTHERS[k % len(OTHERS)] for k, arm in enumerate(free)}
    return {
        arm: Look(colour=colours[arm], dash=dashes.get(arm, "-"), marker=MARKERS[k % len(MARKERS)])
        for k, arm in enumerate(arms)
    }
