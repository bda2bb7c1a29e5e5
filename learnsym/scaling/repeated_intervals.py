"""Intervals for the law of repeated data, by resampling cells of the grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from learnsym.scaling._minimise import minimise
from learnsym.scaling.bootstrap import check_resampling, draws
from learnsym.scaling.repeated import RepeatedLaw, fitted_repeated
from learnsym.statistics import LEVEL, Interval, percentile_interval


@dataclass(frozen=True, kw_only=True)
class RepeatedIntervals:
    """A law of repeated data with intervals."""

    law: RepeatedLaw
    R_star: Interval
    a: Interval
    b: Interval
    samples: Float[np.ndarray, "R 6"]
    """`E, A, a, B, b, R*` of every resample."""


def repeated_intervals(
    N: np.ndarray,
    U: np.ndarray,
    D: np.ndarray,
    loss: np.ndarray,
    cells: np.ndarray,
    level: float = LEVEL,
    replicates: int = 200,
    seed: int = 0,
    irreducible: bool = True,
    delta: float = 1e-3,
) -> RepeatedIntervals:
    """The law of `fit_repeated` with percentile intervals from resampled cells, as in `law_intervals`.

    An interval of `R*` that ends at 0.01 or 10,000 has met the bounds of the fit: such data only limit it on one side.
    `R*` above the largest number of repetitions is known by the start of its bend alone, hence badly.

    Reference: Muennighoff et al., "Scaling data-constrained language models" (2023), arXiv 2305.16264.

    Args:
        N: parameters of each run, (P,).
        U: unique samples of each run, (P,).
        D: samples each run saw, with repetitions, (P,).
        loss: held-out loss of each run, (P,).
        cells: the cell of each run, (P,); runs that differ by seed alone share it.
        level: probability with which an interval covers.
        replicates: number of resamples.
        seed: of the resampling.
        irreducible: whether the law has the constant `E`.
        delta: where the Huber loss turns linear, as in `fit_law`.

    Raises:
        ValueError: as `fit_repeated` and `law_intervals`.

    Example:
        >>> grid = np.meshgrid([1e5, 1e6, 1e7], [1e3, 1e4], [1.0, 4.0, 16.0, 64.0])
        >>> N, U, epochs = (x.ravel() for x in grid)
        >>> truth = ls.scaling.RepeatedLaw(law=ls.scaling.Law(0.1, 30.0, 0.4, 20.0, 0.3), R_star=12.0)
        >>> loss = truth.loss(N, U, U * epochs) * np.exp(0.01 * np.random.default_rng(0).normal(size=24))
        >>> found = ls.scaling.repeated_intervals(N, U, U * epochs, loss, np.arange(24), replicates=50)
        >>> found.R_star.low < 12 < found.R_star.high
        True
    """
    check_resampling(level, replicates)
    fit = fitted_repeated(N, U, D, loss, irreducible, delta)
    surface = fit.surface
    (weights,) = draws([surface], [cells], len(fit.theta), replicates, seed)
    start = np.repeat(fit.theta[None], replicates, axis=0)
    fitted, _ = minimise(fit.model, surface.log_loss[None], weights, start, fit.bounds, delta)
    samples = np.c_[surface.coefficients(fitted[:, :-1]), np.exp(fitted[:, -1])]
    law = fit.law
    a, b, R_star = (
        percentile_interval(value, samples[:, column], level)
        for value, column in ((law.law.a, 2), (law.law.b, 4), (law.R_star, 5))
    )
    return RepeatedIntervals(law=law, samples=samples, a=a, b=b, R_star=R_star)
