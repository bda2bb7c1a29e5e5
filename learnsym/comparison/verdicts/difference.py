"""The difference of two arms over paired seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from learnsym.statistics import LEVEL, over_seeds


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A mean difference of scores with its interval, which is the whole line when there is one seed."""

    estimate: float
    low: float
    high: float
    seeds: int

    @staticmethod
    def of(differences: Float[np.ndarray, " S"], level: float = LEVEL, variance: float = 0.0) -> Difference:
        """Mean of paired differences with the interval of `over_seeds`.

        Args:
            differences: score of the one arm minus the other, seed by seed, (S,).
            level: probability with which the interval covers the difference of means.
            variance: the part of the variance of the mean that all seeds share, in squared units of the differences.

        Raises:
            ValueError: for no differences, or a level outside (0, 1).

        Example:
            >>> found = ls.comparison.verdicts.Difference.of(np.array([1.0, 1.2, 1.4]))
            >>> f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}]"
            '1.20 [0.86, 1.54]'
        """
        mean = over_seeds(differences, level, variance)
        low, high = (-math.inf, math.inf) if mean.low is None else mean.ends
        return Difference(estimate=mean.estimate, low=low, high=high, seeds=len(differences))

    def clipped(self, low: float, high: float) -> Difference:
        """The interval without what cannot be; that of one seed stays the whole line."""
        if self.seeds < 2:
            return self
        ends = {"low": min(max(self.low, low), self.estimate), "high": max(min(self.high, high), self.estimate)}
        return replace(self, **ends)

    @property
    def sign(self) -> int:
        """1 or -1 when the interval lies above or below 0, else 0: undecided."""
        return (self.low > 0) - (self.high < 0)

    def __neg__(self) -> Difference:
        return Difference(estimate=-self.estimate, low=-self.high, high=-self.low, seeds=self.seeds)
