"""Test scores by arm, cell and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from learnsym.comparison.verdicts.difference import Difference
from learnsym.comparison.verdicts.grid import Place, finished, length_unit, lengths
from learnsym.comparison.verdicts.metrics import Metric
from learnsym.statistics import LEVEL

if TYPE_CHECKING:
    import pandas as pd


class Scores:
    """Test scores of every arm in every cell, seed by seed, and their paired differences.

    Args:
        table: of a comparison, one learning rate for each arm and cell.
        metric: which score.
        level: of intervals.
        test_examples: how many independent test examples an accuracy is over. When given, intervals are for a new test
            set, too; else they are for this one and for new seeds.

    Raises:
        ValueError: when one arm, cell and seed has several rows.
    """

    def __init__(
        self, table: pd.DataFrame, metric: Metric, level: float = LEVEL, test_examples: int | None = None
    ) -> None:
        if test_examples is not None and test_examples < 1:
            raise ValueError(f"test_examples: got {test_examples}, must be at least 1; leave it out if unknown")
        rows = finished(table)
        rows = rows.assign(length=lengths(rows)).dropna(subset=[metric.column])
        self.metric, self.level, self.test_examples = metric, level, test_examples
        self.length_unit = length_unit(rows) if len(rows) else "steps"
        self.all_arms = list(dict.fromkeys(map(str, rows["arm"])))
        self.by_place: dict[tuple[str, Place], dict[int, float]] = {}
        values = metric.scores(rows[metric.column].to_numpy(float)).tolist()
        rows_of = zip(rows["arm"], rows["train"], rows["size"], rows["length"], rows["seed"], values, strict=True)
        for arm, train, size, length, seed, value in rows_of:
            self._add(str(arm), Place(train=int(train), size=int(size), length=float(length)), int(seed), value)

    def _add(self, arm: str, cell: Place, seed: int, value: float) -> None:
        seeds = self.by_place.setdefault((arm, cell), {})
        if seed in seeds:
            raise ValueError(
                f"table: got two rows for {arm} at {cell.train} examples, size {cell.size}, seed {seed}, must be one; "
                "keep one learning rate with learnsym.comparison.chosen"
            )
        seeds[seed] = value

    @property
    def cells(self) -> list[Place]:
        """All cells in which an arm was trained."""
        return sorted(self._arms)

    def arms(self, cell: Place) -> list[str]:
        """The arms trained in a cell."""
        return list(self._arms[cell])

    @cached_property
    def _arms(self) -> dict[Place, list[str]]:
        arms: dict[Place, list[str]] = {}
        for arm, cell in self.by_place:
            arms.setdefault(cell, []).append(arm)
        return arms

    def mean(self, arm: str, cell: Place) -> float:
        """Mean score over seeds."""
        return self._means[arm, cell]

    @cached_property
    def _means(self) -> dict[tuple[str, Place], float]:
        return {key: float(np.mean(list(seeds.values()))) for key, seeds in self.by_place.items()}

    def score(self, arm: str, cell: Place) -> Difference:
        """Mean score over seeds with Student's interval, as a difference from a score of 0."""
        variance = self._variance_of(arm, cell)
        found = Difference.of(np.array(list(self.by_place[arm, cell].values())), self.level, variance)
        return found.clipped(self.metric.lowest, self.metric.highest)

    def curve(self, arm: str) -> Mapping[int, Place]:
        """The one cell of an arm at each number of examples. The table must be one that `at_best` made."""
        return self._curves.get(arm, {})

    @cached_property
    def _curves(self) -> dict[str, dict[int, Place]]:
        curves: dict[str, dict[int, Place]] = {}
        for arm, cell in sorted(self.by_place, key=lambda arm_and_place: arm_and_place[1]):
            curves.setdefault(arm, {})[cell.train] = cell
        return curves

    def difference(
        self, first: tuple[str, Place], second: tuple[str, Place], level: float | None = None
    ) -> Difference | None:
        """Score of the first minus the second over the seeds they share; None when they share none."""
        of_first, of_second = self.by_place.get(first, {}), self.by_place.get(second, {})
        seeds = sorted(of_first.keys() & of_second.keys())
        if not seeds:
            return None
        values = np.array([of_first[seed] - of_second[seed] for seed in seeds])
        span = self.metric.highest - self.metric.lowest
        return Difference.of(values, level or self.level, self._variance(first, second)).clipped(-span, span)

    def _variance(self, first: tuple[str, Place], second: tuple[str, Place]) -> float:
        """An upper bound on how much the draw of the test examples adds to the variance of a difference.

        It is the variance of two independent test sets. Both arms see the same examples and mostly fail on the same
        ones, so that it is lower; by how much, scores alone do not tell.
        """
        return self._variance_of(*first) + self._variance_of(*second)

    def _variance_of(self, arm: str, cell: Place) -> float:
        of_one = self.metric.variance
        if self.test_examples is None or of_one is None:
            return 0.0
        return of_one(self.mean(arm, cell)) / self.test_examples


def check_arms(table: pd.DataFrame, arms: Sequence[str]) -> None:
    """Refuse arms that the table does not have."""
    known = list(dict.fromkeys(table["arm"]))
    for arm in arms:
        if arm not in known:
            raise ValueError(f"arm: got {arm!r}, must be one of those in the table: {', '.join(known)}")
