"""The page of an analysis: verdicts, figures and tables of each data set."""

from __future__ import annotations

from collections.abc import Sequence

from learnsym.degrees import Degree
from learnsym.report.figures.style import NOTION_COLOURS, TWIN_COLOURS
from learnsym.report.html import by_kind, environment
from learnsym.report.panel import Panel, slug
from learnsym.report.run import gauge, words
from learnsym.report.run.results import Analysis, DataResult
from learnsym.report.run.table import also_names, cell_text, score_name
from learnsym.statistics import Interval


def render(analysis: Analysis, panels: Sequence[Panel]) -> str:
    """The page of an analysis.

    Args:
        analysis: what was found.
        panels: the drawn figures.
    """
    pages = environment()
    pages.globals.update(words=words, twin_colours=TWIN_COLOURS, notion_colours=NOTION_COLOURS)
    pages.filters.update(slug=slug, extra_inputs=words.extra_inputs)
    return pages.get_template("report.html.j2").render(
        analysis=analysis,
        degree_rows=_degree_rows(analysis),
        dials={data.label: gauge.dial(data) for data in analysis.data},
        flags=[(data.label, law.generator, flag) for data in analysis.data for law in data.poses for flag in law.flags],
        networks=sum(len(twin.seeds) for data in analysis.data for twin in data.twins),
        notes=_notes(analysis.data),
        panels=by_kind(panels),
        score_name=score_name(analysis.data),
        also_names=also_names(analysis.data),
        scale=_scale(analysis.data),
    )


def _degree_rows(analysis: Analysis) -> list[tuple[tuple[str, str], list[dict[str, object]]]]:
    # one row per site and generator under each (notion, method), one cell per data set
    rows_of: dict[tuple[str, str], dict[str, dict[str, Degree]]] = {}
    for degree in analysis.degrees:
        name = degree.generator if degree.site == "input" else f"{degree.generator} at {degree.site}"
        rows_of.setdefault((degree.notion, degree.method), {}).setdefault(name, {})[degree.data] = degree
    return [
        (key, [_row(name, cells, analysis) for name, cells in rows.items()]) for key, rows in sorted(rows_of.items())
    ]


def _notes(data: Sequence[DataResult]) -> dict[str, list[str]]:
    # a note that holds for several data sets is printed once
    labels: dict[str, list[str]] = {}
    for result in data:
        for note in result.notes:
            labels.setdefault(note, []).append(result.label)
    return labels


def _row(generator: str, cells: dict[str, Degree], analysis: Analysis) -> dict[str, object]:
    shown = [cells.get(data.label) for data in analysis.data]
    texts = [("–", "") if degree is None else (cell_text(degree), degree.reason) for degree in shown]
    return {"generator": generator, "unit": next(iter(cells.values())).unit, "cells": texts}


def _scale(data: Sequence[DataResult]) -> dict[str, float]:
    # common axis of the little interval plots beside accuracies
    edges = [edge for result in data for twin in result.twins for edge in _edges(twin.accuracy)]
    low, high = min(edges, default=0.0), max(edges, default=1.0)
    pad = 0.06 * (high - low) or 0.01
    return {"low": low - pad, "span": high - low + 2 * pad}


def _edges(value: Interval) -> list[float]:
    return [edge for edge in (value.estimate, value.low, value.high) if edge is not None]
