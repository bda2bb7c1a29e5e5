"""Colours, dashes and markers of the arms of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from learnsym.report.figures.style import DASHES, TWIN_COLOURS

# Tol's muted palette and what Okabe and Ito's has beside the colours of twins
OTHERS = (
    *("#D55E00", "#CC79A7", "#56B4E9", "#7A5C00", "#332288"),
    *("#882255", "#44AA99", "#999933", "#AA4499", "#1F2933"),
)
MARKERS: tuple[str, ...] = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
LINES = ("-", *(DASHES[twin] for twin in ("exact", "fixed", "plain")))
SIGNS: dict[str, str] = dict(zip(MARKERS, "●■▲◆▼✚✖◀▶", strict=True))
"""Markers as characters, for tables."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an arm is drawn."""

    colour: str
    dash: Any
    marker: str

    @property
    def sign(self) -> str:
        """The marker as a character."""
        return SIGNS[self.marker]


def arm_looks(arms: Sequence[str]) -> dict[str, Look]:
    """The look of each arm: colour and dash of the twin of its name, else the next free ones; no two are the same.

    Example:
        >>> from learnsym.report.figures.arms import arm_looks
        >>> looks = arm_looks(["plain", "augmented", "shifted"])
        >>> looks["augmented"].colour == ls.report.figures.TWIN_COLOURS["fixed"], looks["shifted"].colour
        (True, '#D55E00')
    """
    twins = {arm: "fixed" if arm == "augmented" and "fixed" not in arms else arm for arm in arms}
    free = [arm for arm in arms if twins[arm] not in TWIN_COLOURS]
    looks = {arm: _free(k) for k, arm in enumerate(free)}
    for k, arm in enumerate(arms):
        if arm not in looks:
            twin = twins[arm]
            looks[arm] = Look(colour=TWIN_COLOURS[twin], dash=DASHES[twin], marker=MARKERS[k % len(MARKERS)])
    return {arm: looks[arm] for arm in arms}


def _free(k: int) -> Look:
    """The look of the k-th arm that is no twin: colours first, then dashes; the marker changes with each arm."""
    rounds, place = divmod(k, len(OTHERS))
    return Look(colour=OTHERS[place], dash=LINES[rounds % len(LINES)], marker=MARKERS[k % len(MARKERS)])
