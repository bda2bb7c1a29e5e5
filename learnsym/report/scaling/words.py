"""What a study of scaling says, in plain words, no number without its interval."""

from __future__ import annotations

import math

import numpy as np

from learnsym.report.words import Verdict, number, quantity
from learnsym.scaling.arm import ArmStudy
from learnsym.scaling.pair import PairStudy
from learnsym.scaling.repeated import HALF_LIVES
from learnsym.scaling.repeated_intervals import RepeatedIntervals
from learnsym.scaling.study import Study

SIGNIFICANT = 0.05
WIDE = 0.2
"""Intervals of differences of exponents wider than this say little about their equality."""
HOPELESS = 0.5
"""Intervals wider than this come from resamples that no longer fix the law, on which no p-value can rest."""
UNITS = {"counted": "FLOPs", "nominal": "nominal FLOPs", "seconds": "seconds"}


def verdicts(study: Study) -> list[Verdict]:
    """What each pair of arms says about compute and exponents, by the chosen FLOPs."""
    pairs = [pair for pair in study.pairs if pair.kind == study.settings.flops]
    return [_pair(pair, study) for pair in pairs] or [_none(study)]


def _none(study: Study) -> Verdict:
    fits = [arm.runs.arm for arm in study.arms if arm.law]
    detail = "The notes say why." if len(study.arms) > 1 else "There is one arm."
    return Verdict(headline=f"A law for {', '.join(fits)}, and nothing to compare it with", detail=detail)


def _pair(pair: PairStudy, study: Study) -> Verdict:
    ratio = pair.ratios[pair.middle]
    low, high = ratio.ends
    at = f"at {number(float(pair.comparison.C[pair.middle]))} {UNITS[pair.kind]}"
    if low <= 1 <= high:
        headline = f"{pair.first} and {pair.second} need about the same compute"
        start = f"For the loss that {pair.second} has {at}, {pair.first} needs {quantity(ratio)} times as much"
        start += ", which does not tell them apart"
    else:
        headline = f"{pair.first} needs {quantity(ratio)} times the compute of {pair.second}"
        start = f"That is for the loss that {pair.second} has {at}"
        if math.isinf(ratio.estimate):
            headline = f"{pair.first} never reaches the loss of {pair.second}"
    return Verdict(headline=headline, detail=f"{start}. {exponents(pair)} {_time(pair, study)}".strip())


def exponents(pair: PairStudy) -> str:
    """Whether the exponents of both arms agree, with how sharply the grid can tell."""
    comparison = pair.comparison
    differences = f"in a by {quantity(comparison.a, 2)} and in b by {quantity(comparison.b, 2)}"
    measured = f"they differ {differences}; p = {number(comparison.p_value, 2)}"
    width = max(high - low for low, high in (comparison.a.ends, comparison.b.ends))
    if comparison.p_value < SIGNIFICANT and width <= HOPELESS:
        return f"The exponents are not the same ({measured}), so that the factor changes with compute."
    if width > WIDE:
        return f"Whether the exponents agree, this grid is too small to tell ({measured})."
    return f"The exponents agree ({measured}): {_factor(pair)}."


def _factor(pair: PairStudy) -> str:
    ends = [quantity(pair.ratios[k]) for k in (0, -1)]
    return f"the factor is {ends[0]} at the least and {ends[1]} at the largest compute"


def _time(pair: PairStudy, study: Study) -> str:
    in_time = study.of(pair.first, pair.second, "seconds")
    if in_time is None:
        return ""
    ratio = in_time.ratios[in_time.middle]
    return f"In wall-clock time, the factor is {quantity(ratio)}."


def split(arm: ArmStudy, kind: str) -> str:
    """How an arm should spend more compute."""
    frontier = arm.frontiers.get(kind)
    if frontier is None:
        return f"{arm.runs.arm}: no best split, as {arm.problem or f'what a sample costs in {UNITS[kind]} is unknown'}."
    N, D = quantity(frontier.N_exponent), quantity(frontier.D_exponent)
    factors = [f"{10**exponent.estimate:.2g}" for exponent in (frontier.N_exponent, frontier.D_exponent)]
    return (
        f"{arm.runs.arm}: best parameters grow as compute to the power {N}, best samples to the power {D}: "
        f"ten times the compute is best spent on {factors[0]} times the parameters and {factors[1]} times the samples. "
        f"{_check(arm, kind)}"
    ).strip()


def _check(arm: ArmStudy, kind: str) -> str:
    profile = arm.isoflops.get(kind)
    if profile is None:
        return ""
    if isinstance(profile, str):
        return f"No check by parabolas: {profile}."
    return f"Parabolas of {sum(profile.inside)} budgets say {number(profile.a_opt)} for parameters."


def repeats(arm: ArmStudy) -> str | None:
    """What repetitions are worth to an arm; None where there are none."""
    repeated = arm.repeated
    if (arm.runs.epochs <= 1 + 1e-9).all():
        return None
    if not isinstance(repeated, RepeatedIntervals):
        return f"{arm.runs.arm}: no law of repeated data, as {repeated}."
    text = f"{arm.runs.arm}: repetitions are worth R* = {quantity(repeated.R_star)} fresh epochs at most."
    if repeated.R_star.ends[1] >= 0.99 * HALF_LIVES[1]:
        most = number(float(arm.runs.epochs.max()))
        return f"{text} There is no upper end: up to {most} epochs, a repeated sample may be as good as a new one."
    return text


def cost_rows(study: Study) -> list[tuple[str, ...]]:
    """One row an arm: its counted and nominal FLOPs for a parameter and a sample, and its FLOPs in a second."""
    return [(arm.runs.arm, *(_span(arm, kind) for kind in ("counted", "nominal")), _speed(arm)) for arm in study.arms]


def _span(arm: ArmStudy, kind: str) -> str:
    if kind not in arm.runs.cost:
        return "–"
    each = arm.runs.cost[kind] / arm.runs.N
    low, high = number(float(each.min())), number(float(each.max()))
    return low if low == high else f"{low} to {high}"


def _speed(arm: ArmStudy) -> str:
    if not {"counted", "seconds"} <= set(arm.runs.cost):
        return "–"
    return number(float(np.median(arm.runs.cost["counted"] / arm.runs.cost["seconds"])))
