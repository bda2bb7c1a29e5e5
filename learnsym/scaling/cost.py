"""What a sample costs a network of a size: a power of its number of parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class SampleCost:
    """The cost of training on one sample, `c(N) = k N^γ`, in FLOPs or in seconds.

    Dense networks on one token have `k = 6, γ = 1`. Networks that share weights use each of them often: their `k` is
    larger, and `γ` is not 1 where layers of other reuse grow at other rates.

    Example:
        >>> N = np.array([1e3, 1e4, 1e5])
        >>> cost = ls.scaling.SampleCost.of(N, 30.9 * N)
        >>> round(cost.factor, 2), round(cost.exponent, 3)
        (30.9, 1.0)
    """

    factor: float
    exponent: float
    spread: float = 0.0
    """Root mean square of the log of cost over `k N^γ`: how well a power of `N` alone says the cost."""

    @classmethod
    def of(cls, N: np.ndarray, cost: np.ndarray) -> SampleCost:
        """The power law nearest to the costs of runs; proportional where there is one size alone.

        Args:
            N: parameters of each run, (P,).
            cost: of one sample, (P,).

        Raises:
            ValueError: for values that are not positive and finite, or costs that do not grow with the parameters.
        """
        n, c = np.asarray(N, dtype=float), np.asarray(cost, dtype=float)
        if n.shape != c.shape or not (np.isfinite(n).all() and np.isfinite(c).all() and min(n.min(), c.min()) > 0):
            raise ValueError("N, cost: must be positive and finite, one value (P,) per run; leave out what is unknown")
        log_n, log_c = np.log(n), np.log(c)
        varied = len(np.unique(n)) > 1
        gamma = float(np.polyfit(log_n - log_n.mean(), log_c, 1)[0]) if varied else 1.0
        if not gamma > 0:
            raise ValueError(f"cost: changes as N^{gamma:.2f}, must grow with parameters; the sizes cost alike")
        offset = float(np.mean(log_c - gamma * log_n))
        spread = float(np.sqrt(np.mean((log_c - gamma * log_n - offset) ** 2)))
        return cls(factor=float(np.exp(offset)), exponent=gamma, spread=spread)

    def per_sample(self, N: float | np.ndarray) -> float | np.ndarray:
        """`k N^γ`."""
        return self.factor * N**self.exponent
