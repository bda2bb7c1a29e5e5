"""Two arms side by side: same exponents, different factor?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnsym.scaling.arm import ArmStudy
from learnsym.scaling.exponents import ExponentComparison, Grid, compare_exponents
from learnsym.scaling.law import Law
from learnsym.scaling.same_loss import compute_ratios
from learnsym.scaling.settings import StudySettings
from learnsym.statistics import Interval, percentile_interval

BUDGETS = 5


@dataclass(frozen=True, kw_only=True)
class PairStudy:
    """How much compute the first arm needs for the loss of the second, and whether their exponents agree."""

    first: str
    second: str
    kind: str
    """`counted`, `nominal` or `seconds`: what compute is measured in."""
    comparison: ExponentComparison
    ratios: tuple[Interval, ...]
    """Compute of the first over that of the second for the same loss, at each budget of the second; infinity where the
    first never gets there."""

    @property
    def middle(self) -> int:
        """Index of the middle budget, of which sentences speak."""
        return len(self.ratios) // 2


def study_pair(first: ArmStudy, second: ArmStudy, kind: str, settings: StudySettings) -> PairStudy | str:
    """Compare two arms at equal compute, or say why not; with `E` when it is established for one of them."""
    irreducible = first.irreducible or second.irreducible
    names = f"{first.runs.arm} and {second.runs.arm}"
    if any(kind not in arm.costs for arm in (first, second)):
        return f"{names}: the {kind} cost of one of them is unknown"
    for arm in (first, second):
        if isinstance(arm.with_E if irreducible else arm.without_E, str):
            return f"{names} are not compared, since there is no law of {arm.runs.arm}"
    ranges = [arm.fitted.compute(kind) for arm in (first, second)]
    low, high = max(r.min() for r in ranges), min(r.max() for r in ranges)
    if not low * 1.5 < high:
        return f"{names}: their ranges of compute do not overlap; train one of them longer or larger"
    grids = _grid(first, kind), _grid(second, kind)
    comparison = compare_exponents(
        *grids,
        np.geomspace(low, high, BUDGETS),
        irreducible=irreducible,
        delta=max(first.delta, second.delta),
        **settings.resampling,
    )
    return _pair(first, second, kind, grids, comparison, settings.level)


def _grid(arm: ArmStudy, kind: str) -> Grid:
    cost, runs = arm.costs[kind], arm.fitted
    return Grid(
        N=runs.N,
        D=runs.D,
        loss=runs.loss,
        cells=runs.cells,
        flops_per_parameter_token=cost.factor,
        cost_exponent=cost.exponent,
    )


def _pair(
    first: ArmStudy, second: ArmStudy, kind: str, grids: tuple[Grid, Grid], comparison: ExponentComparison, level: float
) -> PairStudy:
    resampled = tuple([Law(*row) for row in rows.tolist()] for rows in comparison.samples)
    ratios = []
    for C in comparison.C.tolist():
        estimate = compute_ratios(*grids, ([comparison.laws[0]], [comparison.laws[1]]), C)[0]
        rows = compute_ratios(*grids, (resampled[0], resampled[1]), C)
        # an order statistic, since a mean of infinities is not a number
        ratios.append(percentile_interval(estimate, rows, level, method="inverted_cdf"))
    return PairStudy(
        first=first.runs.arm,
        second=second.runs.arm,
        kind=kind,
        comparison=comparison,
        ratios=tuple(ratios),
    )
