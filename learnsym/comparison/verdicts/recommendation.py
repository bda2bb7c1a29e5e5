"""Which arm to take at a number of examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from learnsym.comparison.verdicts.difference import Difference
from learnsym.comparison.verdicts.grid import at_best, finished
from learnsym.comparison.verdicts.metrics import Metric, metric_of
from learnsym.comparison.verdicts.scores import Scores, check_arms
from learnsym.statistics import LEVEL

if TYPE_CHECKING:
    import pandas as pd

SAME_COST = 1.1
"""Trainings whose costs are within this factor cost the same; the base is then taken."""

Costs = Mapping[tuple[str, int], float]
"""Mean counted FLOPs of training by arm and number of examples."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The arm to take at a number of training examples, and what that rests on."""

    train: int
    arm: str
    base: str
    metric: Metric
    level: float
    leads: dict[str, Difference]
    """Every other arm minus the base; intervals hold for all of them together."""
    equals: dict[str, Difference]
    """The arm that is taken minus each one that it cannot be told apart from, the base aside."""

    @property
    def lead(self) -> Difference | None:
        """The arm minus the base; None when the base is taken."""
        return self.leads.get(self.arm)

    @property
    def better(self) -> bool:
        """Whether the arm is known to be better than the base."""
        return self.lead is not None and self.lead.sign > 0

    @property
    def beats_all(self) -> bool:
        """Whether the base is taken because it is known to be better than every other arm."""
        return self.arm == self.base and bool(self.leads) and all(lead.sign < 0 for lead in self.leads.values())

    @property
    def seeds(self) -> int:
        """The largest number of seeds that two arms share."""
        return max((lead.seeds for lead in self.leads.values()), default=0)


def recommend(
    table: pd.DataFrame,
    base: str,
    metric: Metric | None = None,
    level: float = LEVEL,
    test_examples: int | None = None,
) -> list[Recommendation]:
    """The arm to take at each number of examples, each arm at the size, length and rate that its validation chooses.

    Of the arms that are known to be better than the base it is the one with the best mean. Where there is none, it is
    the one with the cheapest training among those that are not known to be worse than the base. Intervals allow for
    as many comparisons with the base as there are other arms (Bonferroni).

    Args:
        table: of a comparison.
        base: the arm that is taken unless there is a reason for another one, such as plain.
        metric: of the score; accuracy where there is one, else the loss.
        level: of all comparisons with the base at one number of examples together.
        test_examples: as in `Scores`.

    Returns:
        One for each number of examples at which the base and another arm share a seed, fewest first.

    Raises:
        ValueError: when the table has no such arm.
    """
    check_arms(table, (base,))
    rows = at_best(finished(table))
    scores = Scores(rows, metric or metric_of(table), level, test_examples)
    means = rows.groupby(["arm", "train"])["compute_counted"].mean()
    costs = cast("Costs", dict(means.items()))  # pyright: ignore
    found = [_recommended(scores, base, train, costs) for train in sorted(scores.curve(base))]
    return [one for one in found if one is not None]


def _recommended(scores: Scores, base: str, train: int, costs: Costs) -> Recommendation | None:
    keys = {arm: (arm, curve[train]) for arm in scores.all_arms if train in (curve := scores.curve(arm))}
    strict = 1 - (1 - scores.level) / max(len(keys) - 1, 1)
    pairs = {arm: scores.difference(key, keys[base], strict) for arm, key in keys.items() if arm != base}
    leads = {arm: lead for arm, lead in pairs.items() if lead is not None}
    if not leads:
        return None
    better = [arm for arm, lead in leads.items() if lead.sign > 0]
    arm = max(better, key=lambda arm: leads[arm].estimate) if better else _cheapest(leads, base, train, costs)
    against = {other: scores.difference(keys[arm], keys[other], strict) for other in leads if other != arm}
    equals = {other: found for other, found in against.items() if found is not None and found.sign == 0}
    return Recommendation(
        train=train, arm=arm, base=base, metric=scores.metric, level=scores.level, leads=leads, equals=equals
    )


def _cheapest(leads: dict[str, Difference], base: str, train: int, costs: Costs) -> str:
    """The arm with the cheapest training of those that are not known to be worse; of equal ones the base."""
    left = [base, *(arm for arm, lead in leads.items() if lead.sign == 0)]
    cheapest = min(left, key=lambda arm: costs[arm, train])
    return base if costs[base, train] <= SAME_COST * costs[cheapest, train] else cheapest
