"""The gauges of a card: a dial for turns, a bar for other moves, each as far as a model stays symmetric."""

from __future__ import annotations

from dataclasses import dataclass

from learnsym.report.card import limits
from learnsym.report.card.amounts import far, with_ends
from learnsym.report.card.card import Card
from learnsym.report.card.row import EXTENT, Row
from learnsym.report.run.gauge import sector

OUTER, INNER, LEAST = 56.0, 40.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Dial:
    """Paths of a dial, from what surely stays to what may."""

    label: str
    surely: str
    perhaps: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar: parts of the reach, in per cent."""

    label: str
    value: float
    low: float
    high: float
    text: str
    end: str
    """What the end of the bar stands for."""


def dials(card: Card, symmetry: str) -> list[Dial]:
    """One for each generator that turns once around; none for a model of which nothing follows."""
    rows = [] if card.doubt else [row for row in card.of(symmetry, EXTENT) if row.unit == "degree"]
    return [_dial(row) for row in rows]


def bars(card: Card, symmetry: str) -> list[Bar]:
    """One for each generator that is no turn."""
    rows = [] if card.doubt else [row for row in card.of(symmetry, EXTENT) if row.unit != "degree"]
    return [_bar(row) for row in rows]


def _dial(row: Row) -> Dial:
    moves = limits.moves_of(row)
    return Dial(
        label=moves,
        surely=sector(max(row.low or 0.0, LEAST), OUTER, INNER),
        perhaps=sector(max(row.high or 0.0, LEAST), OUTER, INNER),
        alt=f"{moves}: symmetric up to {with_ends(row)}",
    )


def _bar(row: Row) -> Bar:
    reach = row.floor or 1.0
    value, low, high = (100 * (each or 0.0) / reach for each in (row.value, row.low, row.high))
    return Bar(
        label=limits.moves_of(row), value=value, low=low, high=high, text=with_ends(row), end=far(reach, row.unit)
    )
