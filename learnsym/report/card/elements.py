"""Which single elements of a group, such as mirror images and quarter turns, leave a model's answers as they are."""

from __future__ import annotations

from collections.abc import Sequence

from learnsym.report.card.card import Card
from learnsym.report.card.row import AGREEMENT, Row
from learnsym.statistics import LEVEL
from learnsym.statistics.student import student_quantile

KEPT, BROKEN, UNCLEAR = "kept", "broken", "unclear"
MANY = 1000


def kinds(card: Card, symmetry: str) -> list[list[Row]]:
    """Single elements but the identity: turns, mirror images, and others."""
    rows = [row for row in card.at_elements(symmetry, None) if row.element != "identity"]
    mirrors = [row for row in rows if (row.element or "").startswith(("reflection", "component"))]
    turns = [row for row in rows if (row.element or "").startswith("rotation")]
    others = [row for row in rows if row not in mirrors and row not in turns]
    return [kind for kind in (turns, mirrors, others) if kind]


def state(card: Card, row: Row) -> str:
    """Whether an answer stays within the tolerance, as far as the examples tell."""
    if card.is_exact(row.symmetry):
        return KEPT  # whatever rounding makes of ties
    changed, chance = card.changed(row), student_quantile(LEVEL, MANY) * (row.stderr or 0.0)
    if changed - chance > card.tolerance:
        return BROKEN
    return KEPT if changed + chance <= card.tolerance else UNCLEAR


def said(card: Card, rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """What a model is symmetric to among elements of one kind, and clauses on the others."""
    states = [state(card, row) for row in rows]
    told = "not followed" if rows[0].symmetry in card.moving else "told apart"
    if set(states) == {KEPT}:
        return [_name(rows)], []
    if set(states) == {BROKEN}:
        return [], [f"{_name(rows)} are {told}{stay(rows)}"]
    if KEPT not in states:
        return [], [f"whether {_name(rows)} are {told} is open{stay(rows)}"]
    good = [row for row, each in zip(rows, states, strict=True) if each == KEPT]
    rest = [row for row in rows if row not in good]
    return [listed(list(map(_short, good)))], [f"{listed(list(map(_short, rest)))} are {told}{stay(rest)}"]


def stay(rows: Sequence[Row]) -> str:
    """How many predictions stay, in brackets; nothing where there are none."""
    if rows[0].measure != AGREEMENT:
        return ""
    return f" ({sum(row.value for row in rows) / len(rows):.0%} of predictions stay)"


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _name(rows: Sequence[Row]) -> str:
    first = rows[0].element or ""
    if first.startswith(("reflection", "component")):
        return "mirror images"
    if first.startswith("rotation"):
        return "quarter turns" if len(rows) == 3 else "turns"
    return f"all {len(rows)} elements of the group"


def _short(row: Row) -> str:
    kind, _, angle = (row.element or "").rpartition(" ")
    if kind == "rotation by":
        return f"turns by {angle}°"
    return f"mirror images at {angle}°" if kind == "reflection at" else row.element or ""
