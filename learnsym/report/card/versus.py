"""Pair: two cards on common examples and moves, and their differences in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from learnsym.report.card.amounts import with_same_decimals
from learnsym.report.card.card import Card
from learnsym.report.card.row import AGREEMENT
from learnsym.report.tables import aligned
from learnsym.report.words import number

BETTER_IF_LESS = ("equivariance error", "cross-entropy", "mean squared error")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One number of two models, first minus second, paired over examples, with its 90 % interval."""

    symmetry: str
    measure: str
    unit: str
    first: float
    second: float
    value: float
    low: float
    high: float
    p_value: float

    @property
    def leads(self) -> int | None:
        """Which model is better, 0 or 1; None where the interval holds 0."""
        if self.low <= 0 <= self.high:
            return None
        return int((self.value < 0) != (self.measure in BETTER_IF_LESS))


@dataclass(frozen=True, kw_only=True, repr=False)
class Pair:
    """The cards of two models on the same examples, moved by the same elements, and how they differ."""

    folder: Path
    first: Card
    second: Card
    task: tuple[Difference, ...]
    """In accuracy and loss."""
    differences: tuple[Difference, ...]
    """In symmetry, one for each that was measured."""

    @property
    def page(self) -> Path:
        """The page."""
        return self.folder / "card.html"

    @property
    def cards(self) -> tuple[Card, Card]:
        """Both cards."""
        return self.first, self.second

    @property
    def names(self) -> tuple[str, str]:
        """What both are called: A and B, since paths are long."""
        return "A", "B"

    def __repr__(self) -> str:
        return "\n\n".join(["\n".join(text_of(self)), aligned(table_of(self))])


def text_of(pair: Pair) -> list[str]:
    """What a reader should take home, a sentence at a time."""
    who = [f"{name} is {card.model}." for name, card in zip(pair.names, pair.cards, strict=True)]
    doubts = [f"{name}: {card.doubt}" for name, card in zip(pair.names, pair.cards, strict=True) if card.doubt]
    return [*who, *doubts, *(sentence(pair, each) for each in (*pair.differences, *pair.task))]


def sentence(pair: Pair, difference: Difference) -> str:
    """Which model is better in one number, and by how much."""
    about = f"Under {difference.symmetry}, " if difference.symmetry else ""
    first, second = shown(difference, "first"), shown(difference, "second")
    how = f"{difference.measure} {first} against {second}, a difference of {gap(difference)}"
    if difference.measure == AGREEMENT:
        how = f"{first} of predictions stay against {second}, a difference of {gap(difference)}"
    guesses = [name for name, card in zip(pair.names, pair.cards, strict=True) if card.doubt]
    if about and guesses:
        which = f"nothing follows, since {' and '.join(guesses)} cannot be told from guesses"
    elif difference.leads is None:
        which = "neither is known to be more symmetric" if about else "neither is known to be better"
    else:
        which = f"{pair.names[difference.leads]} is {'more symmetric' if about else 'better'}"
    text = f"{about}{which}: {how}."
    return text[:1].upper() + text[1:]


def table_of(pair: Pair) -> list[tuple[str, ...]]:
    """Cells of a table, with its header."""
    header = ("symmetry", "measure", *pair.names, f"{pair.names[0]} − {pair.names[1]} [90%]")
    return [header, *(_cells(each) for each in (*pair.task, *pair.differences))]


def shown(difference: Difference, which: str) -> str:
    """The number of one model."""
    value = getattr(difference, which)
    return f"{value:.1%}" if difference.unit == "share" else number(value)


def gap(difference: Difference) -> str:
    """The difference with its interval; of shares in points."""
    ends = (difference.value, difference.low, difference.high)
    if difference.unit == "share":
        value, low, high = (f"{100 * each:.1f}".replace("-", "−") for each in ends)
        return f"{value} points [{low}, {high}]"
    return with_same_decimals(*ends)


def _cells(difference: Difference) -> tuple[str, ...]:
    numbers = (shown(difference, "first"), shown(difference, "second"), gap(difference))
    return difference.symmetry, difference.measure, *numbers
