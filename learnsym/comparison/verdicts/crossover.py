"""At how many training examples the better of two arms changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from learnsym.comparison.verdicts.difference import Difference
from learnsym.comparison.verdicts.grid import at_best
from learnsym.comparison.verdicts.metrics import Metric, metric_of
from learnsym.comparison.verdicts.regions import Crossing, Region, crossings, regions
from learnsym.comparison.verdicts.scores import Scores, check_arms
from learnsym.statistics import LEVEL

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Crossover:
    """Which of two arms is better at how many training examples, and where that changes."""

    first: str
    second: str
    metric: Metric
    level: float
    train: list[int]
    differences: list[Difference]
    """First minus second at each of `train`."""
    regions: list[Region]
    crossings: list[Crossing]

    def winner(self, sign: int) -> str:
        """The arm that a sign speaks for."""
        return self.first if sign > 0 else self.second

    def may_cross_at(self, train: float) -> bool:
        """Whether a number of examples is in the confidence set of crossings: no arm is known to be better there."""
        return any(region.low <= train <= region.high for region in self.regions if not region.sign)


def crossover(
    table: pd.DataFrame,
    first: str,
    second: str,
    metric: Metric | None = None,
    level: float = LEVEL,
    test_examples: int | None = None,
) -> Crossover:
    """Where the better of two arms changes, each at the size, length and rate that its validation loss chooses.

    At each number of examples the difference of scores over paired seeds has Student's interval; the numbers where it
    contains 0 are the confidence set of a crossing (inversion of the test), which covers a true crossing with
    probability `level`. A crossing is stated only between ranges where intervals decide for one and for the other arm.
    For one size or length give the rows of it alone (`settings`).

    Reference: inversion of tests: Fieller, "Some problems in interval estimation" (1954).

    Args:
        table: of a comparison.
        first: an arm.
        second: another arm.
        metric: by which they are compared; accuracy where there is one, else the loss.
        level: of each interval.
        test_examples: as in `Scores`.

    Raises:
        ValueError: when the table has no such arm, or the two share no number of examples and seed.
    """
    check_arms(table, (first, second))
    metric = metric or metric_of(table)
    scores = Scores(at_best(table), metric, level, test_examples)
    first_curve, second_curve = scores.curve(first), scores.curve(second)
    shared = {
        n: scores.difference((first, first_curve[n]), (second, second_curve[n]))
        for n in sorted(first_curve.keys() & second_curve.keys())
    }
    known = {train: difference for train, difference in shared.items() if difference is not None}
    if not known:
        raise ValueError(f"table: {first} and {second} share no training size and seed; train both in one cell first")
    train, differences = list(known), list(known.values())
    areas = regions(train, differences)
    return Crossover(
        first=first,
        second=second,
        metric=metric,
        level=level,
        train=train,
        differences=differences,
        regions=areas,
        crossings=crossings(train, differences, areas),
    )
