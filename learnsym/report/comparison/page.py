"""The page of a comparison: one self-contained file, readable on a phone and in print."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import yaml

from learnsym.comparison.verdicts import crossover, data_efficiency, length_unit, regret
from learnsym.files import write_atomically
from learnsym.report.comparison import rows
from learnsym.report.comparison.findings import Findings, read_findings
from learnsym.report.comparison.panels import panels
from learnsym.report.comparison.words import crossover_verdict, efficiency_verdict, regret_verdict
from learnsym.report.figures.arms import arm_looks
from learnsym.report.html import by_kind, environment
from learnsym.report.panel import Panel, drawn
from learnsym.report.words import Verdict, prefixed, two_digits
from learnsym.statistics import LEVEL

Cards = list[tuple[str, list[Verdict]]]


def draw_comparison(folder: str | os.PathLike[str], level: float = LEVEL, test_examples: int | None = None) -> Path:
    """Draw the figures and the page of a comparison, also of one that is half finished.

    Args:
        folder: of the comparison, with `table.parquet` and `comparison.yaml`.
        level: of all intervals.
        test_examples: how many independent examples test accuracies are over. When given, intervals are for a new test
            set, too; else they are for this one.

    Returns:
        The page, `comparison.html`; figures are in `figures/`.

    Raises:
        ValueError: when a file is missing, no cell has ended, or the level is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, must lie between 0 and 1; 0.9 is usual")
    found = read_findings(folder, level, test_examples)
    figures = [drawn(panel, found.folder / "figures") for panel in panels(found)] if len(found.rows) else []
    page = found.folder / "comparison.html"
    write_atomically(page, render(found, figures).encode())
    return page


def render(found: Findings, figures: Sequence[Panel]) -> str:
    """The page as text.

    Args:
        found: what the comparison has so far.
        figures: the drawn figures.
    """
    pages = environment()
    pages.filters.update(flops=flops, duration=duration, ratio=lambda x: f"{two_digits(x)}×", tied=tied)
    there = len(found.rows) > 0
    return pages.get_template("comparison.html.j2").render(
        found=found,
        cards=cards(found) if there else [],
        looks=arm_looks(found.arms),
        panels=by_kind(figures),
        differences=rows.differences_of_arms(found.specification),
        axes=rows.axes(found),
        unit=length_unit(found.table),
        networks=rows.networks(found) if there else [],
        by_examples=rows.by_examples(found) if there else [],
        all_cells=rows.all_cells(found) if there else [],
        cost=rows.cost(found) if there else [],
        failures=rows.failures(found),
        configuration=yaml.safe_dump(found.specification, sort_keys=False, allow_unicode=True),
    )


def cards(found: Findings) -> Cards:
    """Verdicts by subject: each learned arm against the twins, then the twins in pairs."""
    made: Cards = [(arm, [regret_verdict(_regret(found, arm))]) for arm in found.learned if _comparable(found, arm)]
    for first, second in found.pairs:
        if _share(found, first, [second]):
            made.append((f"{first} and {second}", _pair(found, first, second)))
    return made


def _pair(found: Findings, first: str, second: str) -> list[Verdict]:
    limits = {"level": found.level, "test_examples": found.test_examples}
    verdicts = [crossover_verdict(crossover(found.rows, first, second, found.metric, **limits))]
    arm, reference = (second, first) if first == "exact" or second == "plain" else (first, second)
    needed = efficiency_verdict(data_efficiency(found.rows, arm, reference, **limits), arm, reference)
    several = found.rows["train"].nunique() > 1
    return [*verdicts, needed] if needed is not None and several else verdicts


def _regret(found: Findings, arm: str):  # noqa: ANN202
    return regret(found.rows, arm, found.twins, found.metric, level=found.level, test_examples=found.test_examples)


def _comparable(found: Findings, arm: str) -> bool:
    scores = found.scores
    met = [
        [scores.difference((arm, place), (twin, place)) is not None for twin in found.twins] for place in scores.cells
    ]
    return bool(found.twins) and any(map(all, met))


def _share(found: Findings, first: str, others: Sequence[str]) -> bool:
    scores = found.best_scores()
    one = scores.curve(first)
    curves = {other: scores.curve(other) for other in others}
    return any(
        n in curve and scores.difference((first, one[n]), (other, curve[n])) is not None
        for other, curve in curves.items()
        for n in one
    )


def tied(text: str) -> str:
    """No line ends within `n = 100`."""
    return text.replace("n = ", "n\u00a0=\u00a0")


def flops(value: float) -> str:
    """A number of FLOPs with its prefix: `12 MFLOP`."""
    digits, prefix = prefixed(value)
    return f"{digits} {prefix}FLOP"


def duration(seconds: float) -> str:
    """A time in a unit that suits it."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s"
