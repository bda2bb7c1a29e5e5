"""A card as aligned text, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from learnsym.report.card.card import Card
from learnsym.report.card.row import Row
from learnsym.report.card.words import with_error
from learnsym.report.tables import aligned


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
    return (
        row.symmetry,
        row.measure,
        row.about,
        with_error(row),
        "" if row.floor is None else f"{row.floor:.3g}",
        row.unit,
    )


def _percent(row: Row) -> str:
    return f"{100 * row.shown:.1f} ± {100 * (row.stderr or 0):.1f} %"


def _largest(rows: Sequence[Row], count: int) -> Iterable[Row]:
    """The largest contributions of each generator."""
    for generator in dict.fromkeys(row.generator for row in rows):
        of_generator = [row for row in rows if row.generator == generator and row.site.startswith("layer:")]
        yield from sorted(of_generator, key=lambda row: -abs(row.shown))[:count]
