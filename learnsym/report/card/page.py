"""The page of a symmetry card: one self-contained file, readable on a phone and in print."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from learnsym.files import write_atomically
from learnsym.report import figures
from learnsym.report.card import words
from learnsym.report.card.card import Card
from learnsym.report.card.row import Row
from learnsym.report.html import environment
from learnsym.report.panel import Panel, drawn, slug

LAYERS = 10


def write_page(card: Card) -> None:
    """Draw the figures and write `card.html`."""
    panels = [drawn(panel, card.folder / "figures") for panel in _panels(card)]
    pages = environment()
    pages.tests["match"] = lambda value, start: value.startswith(start)
    template = pages.get_template("card.html.j2")
    page = template.render(card=card, panels=panels, words=words)
    write_atomically(card.page, page.encode())


def _panels(card: Card) -> Iterator[Panel]:
    for name in card.symmetries:
        yield from _curves(card, name)
        yield from _layers(card, name)


def _curves(card: Card, name: str) -> Iterator[Panel]:
    rows = card.of(name, "error at an element")
    for generator in dict.fromkeys(row.generator for row in rows):
        of_generator = [row for row in rows if row.generator == generator]
        title = f"{name}, {generator or 'elements'}"
        values = [[number or 0.0 for number in column] for column in zip(*map(_numbers, of_generator), strict=True)]
        alt = f"Relative equivariance error, {title}: {min(values[0]):.2g} to {max(values[0]):.2g}."
        labels, unit = _ticks([row.element or "" for row in of_generator], joined=generator is not None)
        make = partial(figures.error_curve, labels, *values, joined=generator is not None, xlabel=unit)
        yield Panel(kind=f"curve-{slug(generator or 'elements')}", data=title, alt=alt, size=(4.2, 3.0), draw=make)


def _ticks(elements: list[str], joined: bool) -> tuple[list[str], str]:
    """Labels of elements along a generator without their unit, and the unit."""
    if not joined:
        return elements, ""
    return [element.split()[0] for element in elements], elements[0].partition(" ")[2]


def _numbers(row: Row) -> tuple[float | None, float | None, float | None]:
    return row.relative, row.stderr, row.floor


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
