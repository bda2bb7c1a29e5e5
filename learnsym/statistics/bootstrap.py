"""Intervals by resampling: of a mean over examples, and over seeds and test examples together.

Legend of axes: `S` seeds, `N` test examples, `A` conditions, `R` replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from learnsym.statistics.estimate import Estimate
from learnsym.statistics.interval import LEVEL, Interval, check_level


def percentile_interval(
    estimate: float,
    replicates: Sequence[float] | np.ndarray,
    level: float = LEVEL,
    method: Literal["linear", "inverted_cdf"] = "linear",
) -> Interval:
    """The range that holds the middle share `level` of resampled values.

    Args:
        estimate: the value of the sample itself.
        replicates: values of `R` resamples, (R,).
        level: probability with which the interval covers the true value.
        method: `linear` between values; `inverted_cdf` takes one of them, for values some of which are infinite.
    """
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2], method=method)
    return Interval(estimate=float(estimate), low=float(low), high=float(high), level=level)


def bootstrap_interval(estimate: Estimate, level: float = LEVEL, replicates: int = 1999, seed: int = 0) -> Interval:
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
        >>> interval = ls.statistics.bootstrap_interval(ls.statistics.Estimate.of(values))
        >>> interval.low < float(values.mean()) < interval.high
        True
    """
    estimate.check_several()
    check_level(level)
    values = estimate.linear.double().cpu()
    generator = torch.Generator().manual_seed(seed)
    rows = (torch.randint(len(values), values.shape, generator=generator) for _ in range(replicates))
    return percentile_interval(estimate.mean, [float(values[row].mean()) for row in rows], level)


def bootstrap_seeds(
    scores: Sequence[np.ndarray], replicates: int, level: float = LEVEL, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of per-example scores with a percentile interval; seeds and test examples are both drawn with replacement.

    All seeds see the same resampled examples when they were tested on the same ones, so that the interval covers a new
    seed and a new test set. With one seed only examples are drawn.

    Args:
        scores: one array per seed, `(A, N)`: a score of each example under each of `A` conditions.
        replicates: number of bootstrap replicates.
        level: coverage aimed at.
        seed: of the resampling.

    Returns:
        Mean, low and high, each `(A,)`.
    """
    rng = np.random.default_rng(seed)
    shared = len({score.shape for score in scores}) == 1
    means = np.mean([score.mean(1) for score in scores], axis=0)
    drawn = np.stack([_replicate(scores, shared, rng) for _ in range(replicates)])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return means, low, high


def _replicate(scores: Sequence[np.ndarray], shared: bool, rng: np.random.Generator) -> np.ndarray:
    seeds = rng.integers(len(scores), size=len(scores))
    # multinomial counts are the weights of a sample with replacement
    counts = _counts(scores[0].shape[1], rng) if shared else None
    return np.mean(
        [scores[s] @ (counts if counts is not None else _counts(scores[s].shape[1], rng)) for s in seeds], axis=0
    )


def _counts(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.multinomial(n, np.full(n, 1 / n)) / n
