"""How much runs scatter around a law."""

from __future__ import annotations

import numpy as np

from learnsym.scaling._surface import Surface
from learnsym.scaling.fit import fitted

FIRST_DELTA = 0.1
EFFICIENT = 1.345
"""Huber's threshold in standard deviations, at which 95 % of the efficiency of least squares remains."""
LEAST_DELTA = 1e-3


def log_noise(N: np.ndarray, D: np.ndarray, loss: np.ndarray) -> float:
    """Standard deviation of log loss around the law, by the median of absolute residuals.

    Args:
        N: parameters of each run, (P,).
        D: samples each run saw, (P,).
        loss: held-out loss of each run, (P,).

    Raises:
        ValueError: as `fit_law`.
    """
    coefficients = 5 if len(loss) > 5 else 4
    surface = Surface.of(N, D, loss, irreducible=coefficients == 5)
    _, theta = fitted(surface, FIRST_DELTA)
    residuals = surface.log_loss - surface.model()(theta[None])[0][0]
    spent = len(loss) / max(len(loss) - coefficients, 1)
    return float(1.4826 * np.median(np.abs(residuals)) * spent**0.5)


def huber_delta(N: np.ndarray, D: np.ndarray, loss: np.ndarray) -> float:
    """Where the Huber loss should turn linear for such runs: at 1.345 standard deviations, and 1e-3 at least.

    The usual 1e-3 is for noise far below it. Where noise is larger, it makes a fit of absolute values: less sharp, and
    with few seeds in a cell not even unique, so that resamples of cells agree with one another by chance.

    Reference: Huber, "Robust estimation of a location parameter" (1964).

    Args:
        N, D, loss: as for `log_noise`.

    Example:
        >>> N, D = (x.ravel() for x in np.meshgrid(10.0 ** np.arange(6, 12), 10.0 ** np.arange(8, 14)))
        >>> law, noise = ls.scaling.Law(E=1.69, A=406.4, a=0.34, B=410.7, b=0.28), np.random.default_rng(0)
        >>> 0.015 < ls.scaling.huber_delta(N, D, law.loss(N, D) * np.exp(0.02 * noise.normal(size=36))) < 0.05
        True
    """
    return max(LEAST_DELTA, EFFICIENT * log_noise(N, D, loss))
