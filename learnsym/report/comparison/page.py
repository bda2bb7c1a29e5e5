"""The page of a comparison: one self-contained file, readable on a phone and in print."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from learnsym.comparison.verdicts import crossover, data_efficiency, length_unit, regret
from learnsym.files import write_atomically
from learnsym.report.comparison import rows
from learnsym.report.comparison.crossover import crossover_verdict
from learnsym.report.comparison.efficiency import efficiency_verdict
from learnsym.report.comparison.findings import Findings, read_findings
from learnsym.report.comparison.panels import panels
from learnsym.report.comparison.recommendation import recommendation
from learnsym.report.comparison.regret import regret_verdict
from learnsym.report.comparison.subject import title, varied
from learnsym.report.figures.arms import arm_looks
from learnsym.report.html import by_kind, environment
from learnsym.report.panel import Panel, drawn
from learnsym.report.words import Verdict, duration, prefixed, two_digits
from learnsym.statistics import LEVEL

Cards = list[tuple[str, list[Verdict]]]


def draw_comparison(folder: str | os.PathLike[str], level: float = LEVEL, test_examples: int | None = None) -> Path:
    """Draw the figures and the page of a comparison, also of one that is half finished.

    Args:
        folder: the folder of the comparison, with `table.parquet` and `comparison.yaml`.
        level: the level of all intervals.
        test_examples: how many independent examples test accuracies are over. When given, intervals are for a new test
            set, too; else they are for this one.

    Returns:
        The page, `comparison.html`; figures are in `figures/`.

    Raises:
        ValueError: when a file is missing, no cell has ended, or the level is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, must lie between 0 and 1; 0.9 is usual")
    findings = read_findings(folder, level, test_examples)
    figures = [drawn(panel, findings.folder / "figures") for panel in panels(findings)] if len(findings.rows) else []
    if len(findings.rows):
        rows.write_scores(findings)
    page = findings.folder / "comparison.html"
    write_atomically(page, render(findings, figures).encode())
    return page


def render(findings: Findings, figures: Sequence[Panel]) -> str:
    """The page as text.

    Args:
        findings: what the comparison has so far.
        figures: the drawn figures.
    """
    pages = environment()
    pages.filters.update(flops=flops, duration=duration, ratio=lambda x: f"{two_digits(x)}×", tied=tied)
    there = len(findings.rows) > 0
    return pages.get_template("comparison.html.j2").render(
        findings=findings,
        title=title(findings),
        varied=varied(findings),
        recommendation=recommendation(findings) if there else None,
        cards=cards(findings) if there else [],
        looks=arm_looks(findings.arms),
        panels=by_kind(figures),
        differences=rows.differences_of_arms(findings.specification),
        axes=rows.axes(findings),
        totals=rows.totals(findings),
        unit=length_unit(findings.table),
        networks=rows.networks(findings) if there else [],
        by_examples=rows.by_examples(findings) if there else [],
        all_cells=rows.all_cells(findings) if there else [],
        cost=rows.cost(findings) if there else [],
        failures=rows.failures(findings),
        configuration=yaml.safe_dump(findings.specification, sort_keys=False, allow_unicode=True),
    )


def cards(findings: Findings) -> Cards:
    """Verdicts by subject: each learned arm against the twins, then the twins in pairs."""
    by_subject: Cards = [
        (arm, [regret_verdict(_regret(findings, arm))]) for arm in findings.learned if _comparable(findings, arm)
    ]
    for first, second in findings.pairs:
        if _share(findings, first, [second]):
            by_subject.append((f"{first} and {second}", _pair(findings, first, second)))
    return by_subject


def _pair(findings: Findings, first: str, second: str) -> list[Verdict]:
    limits = {"level": findings.level, "test_examples": findings.test_examples}
    best = findings.best_rows
    of_pair = best.query("arm == @first or arm == @second")
    verdicts = [crossover_verdict(crossover(of_pair, first, second, findings.metric, **limits))]
    arm, reference = (second, first) if first == "exact" or second == "plain" else (first, second)
    needed = efficiency_verdict(data_efficiency(of_pair, arm, reference, **limits), arm, reference)
    several = findings.rows["train"].nunique() > 1
    return [*verdicts, needed] if needed is not None and several else verdicts


def _regret(findings: Findings, arm: str):  # noqa: ANN202
    return regret(
        findings.rows, arm, findings.twins, findings.metric, level=findings.level, test_examples=findings.test_examples
    )


def _comparable(findings: Findings, arm: str) -> bool:
    scores, twins = findings.scores, findings.twins
    met = ((scores.difference((arm, place), (twin, place)) is not None for twin in twins) for place in scores.cells)
    return bool(twins) and any(map(all, met))


def _share(findings: Findings, first: str, others: Sequence[str]) -> bool:
    scores = findings.chosen_scores
    of_first = scores.curve(first)
    curves = {other: scores.curve(other) for other in others}
    return any(
        n in curve and scores.difference((first, of_first[n]), (other, curve[n])) is not None
        for other, curve in curves.items()
        for n in of_first
    )


def tied(text: str) -> str:
    """No line ends within `n = 100` or an interval."""
    text = text.replace("n = ", "n\u00a0=\u00a0")
    return re.sub(r"\[[^]]*\]", lambda found: found[0].replace(" ", "\u00a0"), text)


def flops(value: float) -> str:
    """A number of FLOPs with its prefix: `12 MFLOP`."""
    digits, prefix = prefixed(value)
    return f"{digits} {prefix}FLOP"
