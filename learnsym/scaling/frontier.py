"""The compute-optimal frontier of a law, with bands from its resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnsym.scaling.bootstrap import LawIntervals
from learnsym.scaling.cost import SampleCost
from learnsym.scaling.law import Law
from learnsym.statistics import Interval, percentile_interval


@dataclass(frozen=True, kw_only=True)
class Band:
    """Values at each compute, with the ends of their intervals."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """The best that an arm can do with a compute, and how."""

    C: np.ndarray
    loss: Band
    N: Band
    """Best number of parameters."""
    D: Band
    """Best number of samples."""
    N_exponent: Interval
    """Of the best number of parameters in compute."""
    D_exponent: Interval


def frontier(intervals: LawIntervals, cost: SampleCost, C: np.ndarray, level: float) -> Frontier:
    """The frontier of a law under the cost of samples.

    Args:
        intervals: the law and its resamples.
        cost: `k N^γ` of a sample.
        C: budgets, (K,).
        level: of the bands.
    """
    laws = [intervals.law, *(Law(*row) for row in intervals.samples.tolist())]
    best = [law.optimal(C, cost.factor, cost.exponent) for law in laws]
    losses = np.stack([np.asarray(law.loss(*split)) for law, split in zip(laws, best, strict=True)])
    N, D = (np.stack([np.asarray(split[part]) for split in best]) for part in (0, 1))
    exponents = np.array([law.allocation(cost.exponent) for law in laws])
    of_N, of_D = (percentile_interval(e[0], e[1:], level) for e in exponents.T)
    bands = {name: _band(rows, level) for name, rows in (("loss", losses), ("N", N), ("D", D))}
    return Frontier(C=C, N_exponent=of_N, D_exponent=of_D, **bands)


def _band(rows: np.ndarray, level: float) -> Band:
    low, high = np.quantile(rows[1:], [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Band(value=rows[0], low=low, high=high)
