"""Counts and differences in words, no number without its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import isinf

from learnsym.comparison.verdicts import Difference, Metric
from learnsym.report.words import bracketed, number, together


def count(examples: float | int) -> str:
    """A number of examples to two digits: `930`, `12,000`."""
    if examples <= 0:
        return "0"
    digits = max(math.floor(math.log10(examples)) - 1, 0)
    return f"{round(examples / 10**digits) * 10**digits:,}"


def amount(metric: Metric, difference: Difference) -> str:
    """A difference with its interval: `1.2 [0.9, 1.5] points`; with one seed there is no interval, and that is said.

    Losses that differ by more than 100 % are told apart by a factor: `a factor of 3.1 [1.2, 8.0] in loss`.
    """
    ends = (difference.estimate, difference.low, difference.high)
    known = [end for end in ends if not isinf(end)]
    if metric.additive or all(abs(metric.shown(end)) <= 100 for end in known):
        return _with_interval(difference, together([metric.shown(end) for end in ends]), unit_of(metric))
    factors = [number(1 / factor_of_losses(end), 2) for end in ends]
    return f"a factor of {_with_interval(difference, factors, f'in {metric.name}')}"


def factor_of_losses(difference: float) -> float:
    """The loss of the first as a multiple of the second's, of a difference of logarithms."""
    return math.exp(min(max(-difference, -700.0), 700.0))


def _with_interval(difference: Difference, shown: Sequence[str], unit: str) -> str:
    estimate, low, high = shown
    if difference.seeds < 2:
        return f"{estimate} {unit} (one seed, no interval)"
    return f"{bracketed(estimate, low, high)} {unit}"


def listed(names: Sequence[str]) -> str:
    """Names in a row: `a, b and c`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def unit_of(metric: Metric) -> str:
    """The unit of what a reader sees of a difference: `points`, `% in loss`."""
    return metric.unit if metric.unit != "%" else f"% in {metric.name}"
