"""The page of a symmetry card: one self-contained file, readable on a phone and in print."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from learnsym.files import write_atomically
from learnsym.report import figures
from learnsym.report.card import amounts, gauge, limits, table, verdict
from learnsym.report.card.card import Card
from learnsym.report.card.row import ACCURACY, AGREEMENT, ERROR_AT, Row
from learnsym.report.html import environment
from learnsym.report.panel import Panel, drawn, slug

LAYERS = 10


def write_page(card: Card) -> None:
    """Draw the figures and write `card.html`."""
    panels = [drawn(panel, card.folder / "figures") for panel in _panels(card)]
    pages = environment()
    pages.tests["match"] = lambda value, start: value.startswith(start)
    pages.globals.update(amounts=amounts, gauge=gauge, table=table, verdict=verdict)
    page = pages.get_template("card.html.j2").render(card=card, panels=panels)
    write_atomically(card.page, page.encode())


def _panels(card: Card) -> Iterator[Panel]:
    for name in card.symmetries:
        for generator in dict.fromkeys(row.generator for row in card.of(name, ERROR_AT)):
            yield _curve(card, name, generator)
        yield from _layers(card, name)


def _curve(card: Card, name: str, generator: str | None) -> Panel:
    """What stays at each element: predictions and accuracy of a classifier, the error of other models."""
    columns = {measure: _along(card, name, measure, generator) for measure in (AGREEMENT, ACCURACY, ERROR_AT)}
    rows = columns[AGREEMENT] or columns[ERROR_AT]
    at, unit = _places(rows, generator)
    title = f"{name}, {_moves(generator)}"
    shown = [row.shown for row in rows]
    alt = f"{rows[0].measure}, {title}: {min(shown):.2g} to {max(shown):.2g}."
    if columns[AGREEMENT]:
        lines = {measure: [(r.value, r.stderr or 0.0) for r in columns[measure]] for measure in (AGREEMENT, ACCURACY)}
        make = partial(figures.predictions_along, at, lines, limit=1 - card.tolerance, xlabel=unit)
    else:
        numbers = [[row.shown for row in rows], [row.stderr or 0.0 for row in rows], [row.floor or 0.0 for row in rows]]
        make = partial(figures.error_curve, at, *numbers, xlabel=unit)
    return Panel(kind=f"curve-{slug(generator or 'elements')}", data=title, alt=alt, size=(4.2, 3.0), draw=make)


def _along(card: Card, name: str, measure: str, generator: str | None) -> list[Row]:
    return [row for row in card.of(name, measure) if row.element is not None and row.generator == generator]


def _moves(generator: str | None) -> str:
    return limits.MOVES.get(generator, generator) if generator else "elements"


def _places(rows: list[Row], generator: str | None) -> tuple[list[float] | list[str], str]:
    """Where elements lie along a generator, and its unit; names of single elements."""
    elements = [row.element or "" for row in rows]
    if generator is None:
        return elements, ""
    return [float(element.split()[0]) for element in elements], elements[0].partition(" ")[2]


def _layers(card: Card, name: str) -> Iterator[Panel]:
    rows = card.of(name, "contribution")
    for generator in dict.fromkeys(row.generator for row in rows):
        of_generator = [row for row in rows if row.generator == generator and row.site.startswith("layer:")]
        largest = sorted(of_generator, key=lambda row: -abs(row.shown))[:LAYERS]
        sites = [row.site.removeprefix("layer:") for row in largest]
        alt = f"Shares of the squared local error, {name}, {generator}: " + "; ".join(
            f"{site} {row.shown:.0%}" for site, row in zip(sites, largest, strict=True)
        )
        shares, errors = [row.shown for row in largest], [row.stderr or 0.0 for row in largest]
        make = partial(figures.contributions, sites, shares, errors)
        yield Panel(kind=f"layers-{generator}", data=f"{name}, {generator}", alt=alt, size=(4.2, 3.2), draw=make)
