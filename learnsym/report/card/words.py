"""What the numbers of a card say, in words and as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from learnsym.report.card.row import Row
from learnsym.report.table import aligned

if TYPE_CHECKING:
    from learnsym.report.card.card import Card


def text_table(card: Card, layers: int = 6) -> str:
    """All numbers of the output, and the layers that contribute most."""
    rows = [("symmetry", "measure", "of", "value", "floor", "unit")]
    rows += [_cells(row) for row in card.rows if row.site == "output" and row.element is None]
    text = aligned(rows)
    largest = [row for name in card.symmetries for row in _largest(card.of(name, "contribution"), layers)]
    if largest:
        cells = [(row.symmetry, row.generator or "", row.site.removeprefix("layer:"), _percent(row)) for row in largest]
        text += "\n\n" + aligned([("symmetry", "generator", "layer", "share of the squared local error"), *cells])
    return "\n".join([text, *(f"note: {note}" for note in card.notes)])


def _cells(row: Row) -> tuple[str, ...]:
    return row.symmetry, row.measure, row.about, number(row), "" if row.floor is None else f"{row.floor:.3g}", row.unit


def number(row: Row) -> str:
    """The number of a row with its standard error."""
    return f"{row.shown:.3g}" + ("" if row.stderr is None else f" ± {row.stderr:.1g}")


def _percent(row: Row) -> str:
    return f"{100 * row.shown:.1f} ± {100 * (row.stderr or 0):.1f} %"


def _largest(rows: Sequence[Row], count: int) -> Iterable[Row]:
    """The largest contributions of each generator."""
    for generator in dict.fromkeys(row.generator for row in rows):
        of_one = [row for row in rows if row.generator == generator and row.site.startswith("layer:")]
        yield from sorted(of_one, key=lambda row: -abs(row.shown))[:count]


def headline(card: Card, symmetry: str) -> str:
    """The number that a reader should take home."""
    for row in card.of(symmetry, "loss due"):
        return f"{row.value:.2g} % of the loss is due to imperfect symmetry"
    for row in card.of(symmetry, "equivariance error"):
        return f"Equivariance error {row.shown:.2g}"
    return "Not measured"


def detail(card: Card, symmetry: str) -> str:
    """What stands behind the headline."""
    parts = [f"± {row.stderr:.1g} points" for row in card.of(symmetry, "loss due") if row.stderr is not None]
    for row in card.of(symmetry, "equivariance error"):
        parts.append(f"equivariance error {number(row)}, of which interpolation makes up to {row.floor or 0:.2g}")
    for row in card.of(symmetry, "exact up"):
        exact = "cannot be told from exact" if row.value > 0.05 else "is not exact"
        parts.append(f"beyond interpolation it {exact} (p = {row.value:.2g})")
    for row in card.of(symmetry, "agreement"):
        parts.append(f"{row.value:.0%} of predictions stay")
    return "; ".join(parts) + "." if parts else ""
