"""Student's intervals: of a mean over examples, and over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from learnsym.statistics.estimate import Estimate
from learnsym.statistics.interval import LEVEL, Interval, check_level


def student_quantile(level: float, freedom: int | float) -> float:
    """`t_{(1 + level) / 2, ν}`: how many standard errors a two-sided interval reaches to each side.

    Args:
        level: probability with which the interval covers.
        freedom: degrees of freedom `ν`; infinite for a known variance, which makes it the normal quantile.
    """
    from scipy.special import stdtrit  # takes long to import, and the bottom of the library needs the level alone

    return float(stdtrit(freedom, (1 + level) / 2))


def student_interval(estimate: Estimate, level: float = LEVEL) -> Interval:
    """Student's interval for a mean over examples.

        mean ± t_{(1 + level) / 2, B - 1} · stderr

    Args:
        estimate: a mean over `B` examples.
        level: probability with which the interval covers the mean over all examples.

    Raises:
        ValueError: for fewer than two examples, or a level outside (0, 1).

    Example:
        >>> print(ls.statistics.student_interval(ls.statistics.Estimate.of(torch.tensor([0.1, 0.3, 0.2, 0.2]))))
        0.2 [0.104, 0.296] at 90%
    """
    estimate.check_several()
    check_level(level)
    reach = student_quantile(level, len(estimate.per_sample) - 1) * estimate.stderr
    return Interval(estimate=estimate.mean, low=estimate.mean - reach, high=estimate.mean + reach, level=level)


def over_seeds(values: Sequence[float] | np.ndarray, level: float = LEVEL, variance: float = 0.0) -> Interval:
    """Mean over seeds with Student's interval; without one for a single seed.

        v̄ ± t_{(1 + level) / 2, ν} · s,    s² = s_v² / S + v,    ν = (S - 1) s⁴ / (s_v² / S)²

    With three seeds a bootstrap over seeds knows ten samples and is much too narrow; Student's t is wide (2.9 standard
    errors at 90 %) and right. `v` is what all seeds have in common, such as the draw of the test examples, whose
    degrees of freedom are many (Welch, Satterthwaite).

    Reference: Satterthwaite, "An approximate distribution of estimates of variance components" (1946).

    Args:
        values: one per seed, (S,).
        level: probability with which the interval covers the mean over all seeds.
        variance: `v`, of the mean over seeds, in squared units of the values.

    Raises:
        ValueError: for no values, or a level outside (0, 1).

    Example:
        >>> print(ls.statistics.over_seeds([1.0, 1.2, 1.4]))
        1.2 [0.863, 1.54] at 90%
    """
    check_level(level)
    count = len(values)
    if not count:
        raise ValueError("values: got none, must be at least one; train a seed")
    mean = float(np.mean(values))
    if count < 2:
        return Interval(estimate=mean, level=level)
    of_seeds = float(np.var(values, ddof=1)) / count
    freedom = (count - 1) * ((of_seeds + variance) / of_seeds) ** 2 if of_seeds > 0 else math.inf
    reach = student_quantile(level, freedom) * math.sqrt(of_seeds + variance)
    return Interval(estimate=mean, low=mean - reach, high=mean + reach, level=level)
