"""Intervals over seeds and test examples.

Legend of axes: `S` seeds, `N` test examples, `A` angles.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from learnsym.report.results import Interval


def bootstrap(
    scores: Sequence[np.ndarray], replicates: int, level: float, seed: int = 0
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


def over_seeds(values: Sequence[float], level: float, cap: float | None = None) -> Interval:
    """Mean with Student's interval for the mean over seeds, cut to `[0, cap]`; no interval for one seed."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(estimate=mean)
    reach = float(student.ppf((1 + level) / 2, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
    return Interval(
        estimate=mean, low=max(mean - reach, 0.0), high=mean + reach if cap is None else min(mean + reach, cap)
    )


def _replicate(scores: Sequence[np.ndarray], shared: bool, rng: np.random.Generator) -> np.ndarray:
    seeds = rng.integers(len(scores), size=len(scores))
    # multinomial counts are the weights of a sample with replacement
    counts = _counts(scores[0].shape[1], rng) if shared else None
    return np.mean(
        [scores[s] @ (counts if counts is not None else _counts(scores[s].shape[1], rng)) for s in seeds], axis=0
    )


def _counts(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.multinomial(n, np.full(n, 1 / n)) / n
