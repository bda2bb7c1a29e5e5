"""Runs of nearly the same compute, grouped to budgets."""

from __future__ import annotations

import numpy as np

from learnsym.scaling.isoflop import IsoFlop, isoflop
from learnsym.scaling.runs import Runs

TOLERANCE = 0.1
"""Largest relative difference of compute within a budget."""


def budgets(C: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """For each run the geometric mean of the compute of its budget, (P,).

    Sorted by compute, a run joins the budget of the last one as long as it is within the tolerance of its first.
    """
    order, budget = np.argsort(C, kind="stable"), np.empty(len(C))
    start = 0
    for stop in range(1, len(C) + 1):
        if stop == len(C) or C[order[stop]] > C[order[start]] * (1 + tolerance):
            members = order[start:stop]
            budget[members] = np.exp(np.log(C[members]).mean())
            start = stop
    return budget


def isoflop_of(runs: Runs, kind: str) -> IsoFlop | str:
    """The parabolas of the budgets that have three sizes, or why there are none."""
    C = budgets(runs.compute(kind))
    wide = [budget for budget in np.unique(C) if len(np.unique(runs.N[budget == C])) >= 3]
    if len(wide) < 2:
        return f"{len(wide)} budgets of compute have three sizes or more, which takes two; train sizes at equal compute"
    in_wide = np.isin(C, wide)
    try:
        return isoflop(runs.N[in_wide], C[in_wide], runs.loss[in_wide])
    except ValueError as error:
        return str(error)
