"""Which arm is best in each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from learnsym.comparison.verdicts.difference import Difference
from learnsym.comparison.verdicts.grid import Place
from learnsym.comparison.verdicts.metrics import Metric, metric_of
from learnsym.comparison.verdicts.scores import Scores
from learnsym.statistics import LEVEL

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Best:
    """The arm with the highest mean score in a cell."""

    cell: Place
    arm: str
    runner_up: str | None
    lead: Difference | None
    """The arm minus the runner-up; None without another arm of a common seed."""

    @property
    def decided(self) -> bool:
        """Whether the interval of the lead lies above 0."""
        return self.lead is not None and self.lead.sign > 0


def best_arms(
    table: pd.DataFrame, metric: Metric | None = None, level: float = LEVEL, test_examples: int | None = None
) -> list[Best]:
    """The best arm of each cell, and by how much it leads the next.

    The leader is chosen by the scores that are compared, so intervals allow for as many comparisons as there are other
    arms in the cell (Bonferroni).

    Args:
        table: of a comparison, one learning rate for each arm and cell.
        metric: of the score; accuracy where there is one, else the loss.
        level: of all comparisons of one cell together.
        test_examples: as in `Scores`.
    """
    scores = Scores(table, metric or metric_of(table), level, test_examples)
    return [_best(scores, cell) for cell in scores.cells]


def _best(scores: Scores, cell: Place) -> Best:
    ranked = sorted(scores.arms(cell), key=lambda arm: -scores.mean(arm, cell))
    if len(ranked) < 2:
        return Best(cell=cell, arm=ranked[0], runner_up=None, lead=None)
    strict = 1 - (1 - scores.level) / (len(ranked) - 1)
    lead = scores.difference((ranked[0], cell), (ranked[1], cell), strict)
    return Best(cell=cell, arm=ranked[0], runner_up=ranked[1], lead=lead)
