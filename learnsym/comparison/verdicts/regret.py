"""How far an arm stays behind the better of the other twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learnsym.comparison.verdicts.difference import Difference
from learnsym.comparison.verdicts.grid import Place
from learnsym.comparison.verdicts.metrics import Metric, metric_of
from learnsym.comparison.verdicts.scores import Scores, check_arms
from learnsym.statistics import LEVEL

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Behind:
    """An arm in one cell, against the better of the other twins there."""

    cell: Place
    better: str
    difference: Difference
    """The arm minus the better twin."""


@dataclass(frozen=True, kw_only=True)
class Regret:
    """How far an arm stays behind the better of the other twins, cell by cell."""

    arm: str
    metric: Metric
    level: float
    margin: float
    length_unit: str
    cells: list[Behind]

    @property
    def worst(self) -> Behind:
        """The cell with the largest loss."""
        return min(self.cells, key=lambda cell: cell.difference.estimate)

    @property
    def within(self) -> int:
        """In how many cells the estimate is within the margin."""
        return sum(cell.difference.estimate >= -self.margin for cell in self.cells)

    @property
    def surely_within(self) -> int:
        """In how many cells the interval excludes a larger loss than the margin."""
        return sum(cell.difference.low >= -self.margin for cell in self.cells)

    @property
    def surely_ahead(self) -> list[Behind]:
        """The cells whose interval says that the arm is better than each of the others."""
        return [cell for cell in self.cells if cell.difference.low > 0]

    @property
    def surely_behind(self) -> list[Behind]:
        """The cells whose interval says that the better twin is better than the arm."""
        return [cell for cell in self.cells if cell.difference.high < 0]

    @property
    def surely_outside(self) -> int:
        """In how many cells the whole interval lies beyond the margin."""
        return sum(cell.difference.high < -self.margin for cell in self.cells)


def regret(
    table: pd.DataFrame,
    arm: str,
    others: Sequence[str],
    metric: Metric | None = None,
    margin: float | None = None,
    level: float = LEVEL,
    test_examples: int | None = None,
) -> Regret:
    """How far an arm stays behind the better of other twins in each cell (examples, size, length).

        r = s_arm - max_j s_j = min_j (s_arm - s_j)

    The interval is for the twin that is truly better, whichever that is: its low end is the lowest of the intervals
    against each twin; its high end is the lowest of their high ends at a level that allows for `J` twins (Bonferroni).
    That all cells are within the margin needs no further correction, since it is claimed only when each cell says so.
    Cells that lack a twin are left out, since the better one may be missing; cells with one seed, which have no
    interval, count only where no cell has more.

    Reference: Berger, "Multiparameter hypothesis testing and acceptance sampling" (1982).

    Args:
        table: of a comparison, one learning rate for each arm and cell.
        arm: such as learned.
        others: such as exact and plain.
        metric: of the score; accuracy where there is one, else the loss.
        margin: which loss does not matter, in units of scores; by default that of the metric, 0.5 points or 5 %.
        level: of each interval.
        test_examples: as in `Scores`.

    Raises:
        ValueError: when the table has no such arm, or no cell holds the arm and all others.
    """
    check_arms(table, (arm, *others))
    metric = metric or metric_of(table)
    scores = Scores(table, metric, level, test_examples)
    cells = [behind for cell in scores.cells if (behind := _behind(scores, arm, others, cell)) is not None]
    cells = [place for place in cells if place.difference.seeds > 1] or cells
    if not cells:
        raise ValueError(
            f"table: no cell holds {arm} and all of {', '.join(others)}, over common seeds; train these first"
        )
    margin = metric.margin if margin is None else margin
    unit = scores.length_unit
    return Regret(arm=arm, metric=metric, level=level, margin=margin, length_unit=unit, cells=cells)


def _behind(scores: Scores, arm: str, others: Sequence[str], cell: Place) -> Behind | None:
    strict = 1 - (1 - scores.level) / max(len(others), 1)
    pairs = {other: scores.difference((arm, cell), (other, cell)) for other in others}
    leads = {other: difference for other, difference in pairs.items() if difference is not None}
    if len(leads) < len(others):
        return None
    better = min(leads, key=lambda other: leads[other].estimate)
    wide = [scores.difference((arm, cell), (other, cell), strict) for other in leads]
    low = min(difference.low for difference in leads.values())
    high = min(difference.high for difference in wide if difference is not None)
    estimate, seeds = leads[better].estimate, min(difference.seeds for difference in leads.values())
    return Behind(cell=cell, better=better, difference=Difference(estimate=estimate, low=low, high=high, seeds=seeds))
