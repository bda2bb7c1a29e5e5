"""The difference of two arms over paired seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A mean difference of scores with its interval, which is the whole line when there is one seed."""

    estimate: float
    low: float
    high: float
    seeds: int

    @property
    def sign(self) -> int:
        """1 or -1 when the interval lies above or below 0, else 0: undecided."""
        return (self.low > 0) - (self.high < 0)

    def __neg__(self) -> Difference:
        return Difference(estimate=-self.estimate, low=-self.high, high=-self.low, seeds=self.seeds)


def over_seeds(differences: Float[np.ndarray, " S"], level: float = 0.9, variance: float = 0.0) -> Difference:
    """Mean of paired differences with Student's interval.

        d̄ ± t_{(1 + level) / 2, ν} · s,    s² = s_d² / S + v,    ν = (S - 1) s⁴ / (s_d² / S)²

    With three seeds a bootstrap over seeds knows ten samples and is much too narrow; Student's t is wide (2.9 standard
    errors at 90 %) and right. `v` is what all seeds have in common, such as the draw of the test examples, whose
    degrees of freedom are many (Welch, Satterthwaite).

    Reference: Satterthwaite, "An approximate distribution of estimates of variance components" (1946).

    Args:
        differences: score of the one arm minus the other, seed by seed, (S,).
        level: probability with which the interval covers the difference of means.
        variance: `v`, of the mean over seeds, in squared units of the differences.

    Raises:
        ValueError: for no differences, or a level outside (0, 1).

    Example:
        >>> found = ls.comparison.verdicts.over_seeds(np.array([1.0, 1.2, 1.4]))
        >>> f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}]"
        '1.20 [0.86, 1.54]'
    """
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, must lie between 0 and 1; 0.9 is usual")
    count = len(differences)
    if not count:
        raise ValueError("differences: got none, must be at least one; train both arms with a seed in common")
    mean = float(np.mean(differences))
    if count < 2:
        return Difference(estimate=mean, low=-math.inf, high=math.inf, seeds=count)
    of_seeds = float(np.var(differences, ddof=1)) / count
    freedom = (count - 1) * ((of_seeds + variance) / of_seeds) ** 2 if of_seeds > 0 else math.inf
    reach = float(student.ppf((1 + level) / 2, freedom)) * math.sqrt(of_seeds + variance)
    return Difference(estimate=mean, low=mean - reach, high=mean + reach, seeds=count)
