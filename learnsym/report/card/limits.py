"""How far along its generators a model is symmetric, in words."""

from __future__ import annotations

from learnsym.report.card.amounts import far
from learnsym.report.card.card import Card
from learnsym.report.card.extent import PARTS
from learnsym.report.card.row import Row

MOVES = {
    "rotation": "turns",
    "translation_x": "sideways shifts",
    "translation_y": "vertical shifts",
    "translation_z": "shifts along z",
    "scale": "changes of scale",
    "stretch": "stretches",
    "shear": "shears",
    "brightness": "changes of brightness",
    "contrast": "changes of contrast",
    "hue": "turns of the hue",
    "saturation": "changes of saturation",
    "rotation_x": "turns about x",
    "rotation_y": "turns about y",
    "rotation_z": "turns about z",
    "boost_x": "boosts along x",
    "boost_y": "boosts along y",
    "boost_z": "boosts along z",
}
WHOLE_TURN = 180.0
ROUNDING = 1e-9
AGAIN = 1.5
"""How many times farther than its limit symmetry must return to be worth a word."""


def moves_of(row: Row) -> str:
    """What a generator does, in the plural."""
    return MOVES.get(row.generator or "", f"moves along {row.generator}")


def is_broken(row: Row) -> bool:
    """Whether the least move that was tried is too much already."""
    return _high(row) <= _reach(row) * PARTS[0] * (1 + ROUNDING)


def is_limited(row: Row) -> bool:
    """Whether symmetry ends before the farthest move that was tried."""
    return row.value < _reach(row) * (1 - ROUNDING)


def is_full(row: Row) -> bool:
    """Whether no move that was tried is too much, whatever the examples."""
    return _low(row) >= _reach(row) * (1 - ROUNDING)


def kept(card: Card, row: Row) -> str:
    """What a symmetric model is symmetric to: `turns up to 25°`."""
    reach = far(_reach(row), row.unit)
    if is_full(row) and is_whole(row):
        return f"{moves_of(row)} by any angle"
    if is_full(row):
        return f"{moves_of(row)} up to {reach}, as far as was tried"
    if not is_limited(row):
        return f"{moves_of(row)} up to {far(_low(row), row.unit)} at least"
    return f"{moves_of(row)} up to {far(row.value, row.unit)}{_again(card, row)}"


def broken(card: Card, row: Row) -> str:
    """The same of a model that the least move changes."""
    verb = "not followed" if row.symmetry in card.moving else "told apart"
    return f"{moves_of(row)} are {verb}, already by {far(_reach(row) * PARTS[0], row.unit)}{_again(card, row)}"


def is_whole(row: Row) -> bool:
    """Whether a generator was tried once around."""
    return row.unit == "degree" and _reach(row) >= WHOLE_TURN * (1 - ROUNDING)


def _again(card: Card, limit: Row) -> str:
    """Where symmetry returns beyond its limit, as at the quarter turns of a square network."""
    rows = card.at_elements(limit.symmetry, limit.generator)
    kept = {abs(float((row.element or "").split()[0])) for row in rows if card.changed(row) <= card.tolerance}
    found = [t for t in sorted(kept) if t > AGAIN * max(_high(limit), _reach(limit) * PARTS[0])]
    return f" (but again at {' and '.join(far(t, limit.unit) for t in found)})" if found else ""


def _reach(row: Row) -> float:
    return row.value if row.floor is None else row.floor


def _low(row: Row) -> float:
    return row.value if row.low is None else row.low


def _high(row: Row) -> float:
    return row.value if row.high is None else row.high
