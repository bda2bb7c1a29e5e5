"""How many examples one arm needs for the score of another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learnsym.comparison.verdicts.difference import Difference
from learnsym.comparison.verdicts.grid import at_best
from learnsym.comparison.verdicts.metrics import Metric, logarithmic
from learnsym.comparison.verdicts.regions import regions, zeros
from learnsym.comparison.verdicts.scores import Scores, check_arms
from learnsym.statistics import LEVEL

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """An arm needs `factor` times the `train` examples with which the reference reaches a score."""

    train: int
    factor: float | None
    """None when the curve of the arm does not reach that score."""
    low: float
    """0 when the fewest examples tried already may be enough."""
    high: float
    """Infinite when the most examples tried may not be enough."""


def data_efficiency(
    table: pd.DataFrame,
    arm: str,
    reference: str,
    metric: Metric | None = None,
    level: float = LEVEL,
    test_examples: int | None = None,
) -> list[Efficiency]:
    """How many times the data of a reference an arm needs for the same score, at each number of examples.

        s_arm(c n) = s_reference(n)

    The confidence set holds all `c n` whose score cannot be told from the reference's at `n`, over paired seeds;
    between trained numbers of examples they are interpolated in log n. The score is the logarithm of the error rate or
    loss, in which power laws are straight lines. Each arm is at the size, length and rate that its validation loss
    chooses.

    Args:
        table: of a comparison.
        arm: which may need more data.
        reference: whose scores are to be reached.
        metric: of the score; the error rate where there are accuracies, else that of `metric_of`.
        level: of each interval.
        test_examples: as in `Scores`.

    Raises:
        ValueError: when the table has no such arm.
    """
    check_arms(table, (arm, reference))
    scores = Scores(at_best(table), metric or logarithmic(table), level, test_examples)
    return list(_factors(scores, arm, reference))


def _factors(scores: Scores, arm: str, reference: str) -> Iterator[Efficiency]:
    curve = scores.curve(arm)
    for train, goal in scores.curve(reference).items():
        ahead = {n: scores.difference((arm, cell), (reference, goal)) for n, cell in curve.items()}
        known = {n: difference for n, difference in ahead.items() if difference is not None}
        if known:
            yield _factor(train, list(known), list(known.values()))


def _factor(train: int, tried: Sequence[int], ahead: Sequence[Difference]) -> Efficiency:
    areas = regions(tried, ahead)
    reached = zeros(tried, ahead)
    return Efficiency(
        train=train,
        factor=float(reached[len(reached) // 2]) / train if len(reached) else None,
        low=areas[0].high / train if areas[0].sign < 0 else 0.0,
        high=areas[-1].low / train if areas[-1].sign > 0 else math.inf,
    )
