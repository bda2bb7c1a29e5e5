"""Fits of the law to a grid of runs."""

from __future__ import annotations

import numpy as np

from learnsym.scaling._minimise import minimise
from learnsym.scaling._surface import Surface
from learnsym.scaling.law import Law

STARTS = (0.1, 0.3, 0.6, 1.2)


def fit_law(
    N: np.ndarray,
    D: np.ndarray,
    loss: np.ndarray,
    irreducible: bool = True,
    delta: float = 1e-3,
    starts: tuple[float, ...] = STARTS,
) -> Law:
    """The law nearest to the runs of a grid, in logarithms and robustly.

        min Σ_p huber_δ(log L_p - logsumexp(log E, log A - a log N_p, log B - b log D_p))

    Reference: Hoffmann et al., "Training compute-optimal large language models" (2022), arXiv 2203.15556, section 3.3.

    Args:
        N: parameters of each run, (P,).
        D: samples (or tokens) each run saw, (P,).
        loss: held-out loss of each run, (P,); seeds of one cell are separate points.
        irreducible: whether the law has the constant `E`; report both.
        delta: where the Huber loss turns linear, in units of log loss; far above the noise it is least squares.
        starts: exponents to start from; every pair of them with three shares of `E`, of which the best end is taken.

    Raises:
        ValueError: for fewer points than coefficients, values that are not positive and finite, arrays of different
            length, or a single `N` or `D`.

    Example:
        >>> N, D = (x.ravel() for x in np.meshgrid(10.0 ** np.arange(6, 10), 10.0 ** np.arange(8, 12)))
        >>> law = ls.scaling.fit_law(N, D, ls.scaling.Law(E=1.69, A=406.4, a=0.34, B=410.7, b=0.28).loss(N, D))
        >>> round(law.E, 3), round(law.a, 3), round(law.b, 3)
        (1.69, 0.34, 0.28)
    """
    return fitted(Surface.of(N, D, loss, irreducible), delta, starts)[0]


def fitted(surface: Surface, delta: float, starts: tuple[float, ...] = STARTS) -> tuple[Law, np.ndarray]:
    """The law, and the parameters of the surface that it has."""
    if not delta > 0:
        raise ValueError(f"delta: got {delta}, must be positive; 1e-3 is usual")
    if not starts or min(starts) <= 0:
        raise ValueError(f"starts: got {starts}, must be positive exponents; (0.1, 0.3, 0.6, 1.2) is usual")
    ones = np.ones((1, len(surface.log_loss)))
    first = surface.starts(starts)
    theta, objective = minimise(surface.model(), surface.log_loss[None], ones, first, surface.bounds, delta)
    best = theta[objective.argmin()]
    return surface.law(best), best
