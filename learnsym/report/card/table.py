"""A card as aligned text, for the terminal: the answer first, then the numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from learnsym.report.card.amounts import amount, with_error
from learnsym.report.card.card import Card
from learnsym.report.card.row import EXTENT, Row
from learnsym.report.card.verdict import verdict
from learnsym.report.tables import aligned

WIDTH = 110


def text_table(card: Card, layers: int = 6) -> str:
    """The answer in words, all numbers of the output, and the layers that contribute most."""
    rows = [("symmetry", "measure", "of", "value", "floor")]
    rows += [_cells(row) for row in (*card.task, *card.rows) if row.site == "output" and row.element is None]
    parts = ["\n".join(_wrapped(sentence) for sentence in verdict(card)), aligned(rows)]
    largest = [row for name in card.symmetries for row in _largest(card.of(name, "contribution"), layers)]
    if largest:
        cells = [(row.symmetry, row.generator or "", row.site.removeprefix("layer:"), _percent(row)) for row in largest]
        parts.append(aligned([("symmetry", "generator", "layer", "share of the squared local error"), *cells]))
    notes = [f"note: {note}" for note in card.notes]
    return "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])])


def floor_of(row: Row) -> str:
    """What interpolation or chance makes by itself; nothing where a floor is none."""
    return "" if row.floor is None or row.measure == EXTENT else with_error(row.floor, None)


def _cells(row: Row) -> tuple[str, ...]:
    return row.symmetry, row.measure, row.about, amount(row), floor_of(row)


def _percent(row: Row) -> str:
    return f"{100 * row.shown:.1f} ± {100 * (row.stderr or 0):.1f} %"


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, WIDTH, subsequent_indent="  ")


def _largest(rows: Sequence[Row], count: int) -> Iterable[Row]:
    """The largest contributions of each generator."""
    for generator in dict.fromkeys(row.generator for row in rows):
        of_generator = [row for row in rows if row.generator == generator and row.site.startswith("layer:")]
        yield from sorted(of_generator, key=lambda row: -abs(row.shown))[:count]
