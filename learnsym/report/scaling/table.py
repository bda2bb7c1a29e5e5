"""The coefficients of all laws as rows of text."""

from __future__ import annotations

from learnsym.report.tables import aligned
from learnsym.report.words import quantity
from learnsym.scaling.arm import ArmStudy
from learnsym.scaling.bootstrap import LawIntervals
from learnsym.scaling.study import Study
from learnsym.statistics import percentile_interval

HEADER = ("arm", "law", "E", "A", "a", "B", "b", "parameters ~ C^", "samples ~ C^", "runs")

NOTHING = 1e-9
"""A fitted `E` this far below another factor is none: its logarithm has met its bound."""


def law_rows(study: Study) -> list[tuple[str, ...]]:
    """Two rows for each arm, with and without `E`; a star marks the law that figures and sentences use."""
    rows = []
    for arm in study.arms:
        for name, fit, irreducible in (("with E", arm.with_E, True), ("without E", arm.without_E, False)):
            starred = f"{name} *" if arm.irreducible == irreducible and arm.law else name
            runs = str(len(arm.fitted.loss))
            if isinstance(fit, LawIntervals):
                exponents = (
                    _exponents(fit, arm.costs[study.settings.flops].exponent)
                    if study.settings.flops in arm.costs
                    else ("–", "–")
                )
                rows.append((arm.runs.arm, starred, *_coefficients(fit, irreducible), *exponents, runs))
            else:
                rows.append((arm.runs.arm, name, *["–"] * 7, runs))
    return rows


def text_table(study: Study) -> str:
    """Coefficients with their intervals, aligned."""
    return aligned([HEADER, *law_rows(study)])


def _coefficients(intervals: LawIntervals, irreducible: bool) -> list[str]:
    if irreducible and intervals.E.ends[1] < NOTHING * intervals.law.B:
        return ["0", *_coefficients(intervals, False)[1:]]
    values = [quantity(getattr(intervals, name)) for name in ("E", "A", "a", "B", "b")]
    return values if irreducible else ["0", *values[1:]]


def _exponents(intervals: LawIntervals, gamma: float) -> tuple[str, str]:
    a, b, level = intervals.samples[:, 2], intervals.samples[:, 4], intervals.a.level
    estimates = intervals.law.allocation(gamma)
    of_N, of_D = (
        percentile_interval(estimate, part / (a + gamma * b), level)
        for estimate, part in zip(estimates, (b, a), strict=True)
    )
    return quantity(of_N), quantity(of_D)


def problem_rows(study: Study) -> list[str]:
    """Why laws are missing."""
    return [f"{arm.runs.arm}{which}: {text}." for arm in study.arms for which, text in _problems(arm).items()]


def _problems(arm: ArmStudy) -> dict[str, str]:
    laws = {", law with E": arm.with_E, ", law without E": arm.without_E}
    reasons = {which: text for which, text in laws.items() if isinstance(text, str)}
    return {"": str(arm.with_E)} if len(reasons) == 2 and arm.with_E == arm.without_E else reasons
