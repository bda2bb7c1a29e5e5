"""Interval: a number with the range around it, and the level that holds where none is given."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

LEVEL = 0.9
"""Probability with which intervals cover, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number and the range that covers the true one with probability `level`; no ends where none was computed.

    Example:
        >>> print(ls.statistics.Interval(estimate=0.2, low=0.07, high=0.33))
        0.2 [0.07, 0.33] at 90%
    """

    estimate: float
    low: float | None = None
    high: float | None = None
    level: float = LEVEL

    @property
    def ends(self) -> tuple[float, float]:
        """`low` and `high`.

        Raises:
            ValueError: when no interval was computed.
        """
        if self.low is None or self.high is None:
            raise ValueError(f"interval: there is none around {self.estimate:.3g}; measure more seeds or examples")
        return self.low, self.high

    def clipped(self, low: float = -math.inf, high: float = math.inf) -> Interval:
        """The part within the values that are possible at all; the estimate stays."""
        if self.low is None or self.high is None:
            return self
        return replace(self, low=max(self.low, low), high=min(self.high, high))

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.estimate:.3g}"
        return f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}] at {self.level:.0%}"


def check_level(level: float) -> None:
    """Refuse a level that is not a probability, such as 90.

    Raises:
        ValueError: for a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, must lie between 0 and 1; {LEVEL} is usual")
