"""Intervals around estimates: Student's and the percentile bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.stats import t as student

from learnsym.measure.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A range that covers the mean over all examples with probability `level`."""

    low: float
    high: float
    level: float

    def __str__(self) -> str:
        return f"[{self.low:.3g}, {self.high:.3g}] at {self.level:.0%}"


def student_interval(estimate: Estimate, level: float = 0.95) -> Interval:
    """Student's interval for a mean over examples.

        mean ± t_{(1 + level) / 2, B - 1} · stderr

    Args:
        estimate: a mean over `B` examples.
        level: probability with which the interval covers the mean over all examples.

    Raises:
        ValueError: for fewer than two examples, or a level outside (0, 1).

    Example:
        >>> print(ls.measure.student_interval(ls.measure.Estimate.of(torch.tensor([0.1, 0.3, 0.2, 0.2]))))
        [0.0701, 0.33] at 95%
    """
    _check(estimate, level)
    reach = float(student.ppf((1 + level) / 2, len(estimate.per_sample) - 1)) * estimate.stderr
    return Interval(low=estimate.mean - reach, high=estimate.mean + reach, level=level)


def bootstrap_interval(estimate: Estimate, level: float = 0.95, replicates: int = 1999, seed: int = 0) -> Interval:
    """The percentile interval of means over examples drawn with replacement; follows a skewed distribution of values.

    Reference: Efron, Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.

    Args:
        estimate: a mean over examples.
        level: probability with which the interval covers the mean over all examples, nearly so from 50 examples on.
        replicates: number of resampled means.
        seed: of the resampling.

    Raises:
        ValueError: for fewer than two examples, or a level outside (0, 1).

    Example:
        >>> values = torch.randn(100)
        >>> interval = ls.measure.bootstrap_interval(ls.measure.Estimate.of(values))
        >>> interval.low < float(values.mean()) < interval.high
        True
    """
    _check(estimate, level)
    values = estimate.per_sample.double().cpu()
    generator = torch.Generator().manual_seed(seed)
    rows = (torch.randint(len(values), values.shape, generator=generator) for _ in range(replicates))
    means = torch.stack([values[row].mean() for row in rows])
    low, high = torch.quantile(means, means.new_tensor([(1 - level) / 2, (1 + level) / 2])).tolist()
    return Interval(low=low, high=high, level=level)


def _check(estimate: Estimate, level: float) -> None:
    if len(estimate.per_sample) < 2:
        raise ValueError(
            "estimate: is over one example, must be over at least 2 for an interval; measure more examples"
        )
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, must lie between 0 and 1; 0.95 is usual")
