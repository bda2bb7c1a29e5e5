"""Whether two laws have the same exponents and different factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from learnsym.scaling._minimise import minimise
from learnsym.scaling._surface import Surface
from learnsym.scaling.bootstrap import check_resampling, draws, resampled, same_cells
from learnsym.scaling.fit import STARTS, fitted
from learnsym.scaling.law import Law
from learnsym.statistics import LEVEL, Interval, percentile_interval


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The runs of one architecture."""

    N: np.ndarray
    D: np.ndarray
    loss: np.ndarray
    cells: np.ndarray
    """The cell of each run, (P,); seeds of one cell share it."""
    flops_per_parameter_token: float = 6.0
    cost_exponent: float = 1.0
    """`γ` of the compute `C = k N^γ D`; `SampleCost.of` finds both."""

    def frontiers(self, laws: Sequence[Law], C: np.ndarray) -> Float[np.ndarray, "R K"]:
        """Least losses of several laws at several budgets."""
        k, gamma = self.flops_per_parameter_token, self.cost_exponent
        return np.stack([np.asarray(law.frontier(C, k, gamma)) for law in laws])


@dataclass(frozen=True, kw_only=True)
class ExponentComparison:
    """Two architectures' laws side by side; differences are of the first less the second."""

    laws: tuple[Law, Law]
    shared: tuple[Law, Law]
    """The two laws of best fit with one `a` and one `b` for both."""
    a: Interval
    b: Interval
    a_opt: Interval
    p_value: float
    """Of "both exponents are the same", from the two differences together."""
    C: np.ndarray
    log_ratio: tuple[Interval, ...]
    """Of the log of first over second least loss, at each compute `C`; below 0 the first is better."""
    slope: Interval
    """Of the change of that log ratio per factor e of compute, from first to last `C`; 0 is "by a similar factor"."""
    paired: bool
    """Whether cells of both were drawn together."""
    samples: tuple[Float[np.ndarray, "R 5"], Float[np.ndarray, "R 5"]]
    """`E, A, a, B, b` of every resample of both, for intervals of anything else."""


def compare_exponents(
    first: Grid,
    second: Grid,
    C: np.ndarray,
    irreducible: bool = True,
    level: float = LEVEL,
    replicates: int = 200,
    delta: float = 1e-3,
    seed: int = 0,
) -> ExponentComparison:
    """The test of "same exponents, different factor" between two twins.

        a_1 - a_2,    b_1 - b_2,    log (L_1(C) / L_2(C))    with L_i(C) = min L_i(N, D) where k_i N^γ_i D = C

    Cells of the same labels in both grids are drawn together: what twins have in common, such as a data set or seeds,
    drops out of their difference. Grids with other cells are resampled independently, which is cautious. The p-value
    is the share of resamples that lie as far from the differences as 0 does, in units of their covariance. Read the
    widths too: intervals that hold 0 and are wide say that the grids are too small to tell. With irreducible loss the
    ratio of losses tends to that of `E`, so that the same exponents alone do not keep it constant.

    Reference: Brehmer et al., "Does equivariance matter at scale?" (2024), arXiv 2410.23179, claims a similar factor
    at every budget; Ngo, Ravanbakhsh, "Scaling laws and symmetry" (2025), arXiv 2510.09768, finds other exponents.

    Args:
        first: runs of the one architecture.
        second: runs of its twin; with the labels of `first` where their data or seeds are common.
        C: budgets of compute at which losses are compared, (K,), in ascending order; inside the grids.
        irreducible: whether the laws have the constant `E`.
        level: of the intervals.
        replicates: resamples of each grid.
        delta: where the Huber loss turns linear, as in `fit_law`.
        seed: of the resampling.

    Raises:
        ValueError: as `fit_law` and `law_intervals`, or for fewer than two budgets.

    Example:
        >>> N, D = (x.ravel() for x in np.meshgrid(10.0 ** np.arange(4, 8), 10.0 ** np.arange(4, 8)))
        >>> cells, laws = np.arange(16), [ls.scaling.Law(0.0, A, 0.4, 9.0, 0.3) for A in (10.0, 30.0)]
        >>> first, second = (ls.scaling.Grid(N=N, D=D, loss=law.loss(N, D), cells=cells) for law in laws)
        >>> found = ls.scaling.compare_exponents(first, second, np.array([1e10, 1e13]), irreducible=False)
        >>> round(found.shared[0].a, 3), found.log_ratio[0].high < 0
        (0.4, True)
    """
    check_resampling(level, replicates)
    C = np.asarray(C, dtype=float)
    if C.ndim != 1 or len(C) < 2 or not (np.diff(C) > 0).all() or not C[0] > 0:
        raise ValueError(f"C: got {C.tolist()}, must be two or more positive budgets in ascending order")
    grids = (first, second)
    surfaces = [Surface.of(grid.N, grid.D, grid.loss, irreducible) for grid in grids]
    fits = [fitted(surface, delta) for surface in surfaces]
    laws, paired = [law for law, _ in fits], same_cells(first.cells, second.cells)
    weights = _weights(surfaces, [first.cells, second.cells], len(fits[0][1]), replicates, seed, paired)
    samples = [
        resampled(surface, theta, drawn, delta)
        for surface, (_, theta), drawn in zip(surfaces, fits, weights, strict=True)
    ]
    drawn_laws = [[Law(*row) for row in rows.tolist()] for rows in samples]
    # the laws of all cells come first
    rows_of = [[law, *rows] for law, rows in zip(laws, drawn_laws, strict=True)]
    ratios = [np.log(grid.frontiers(rows, C)) for grid, rows in zip(grids, rows_of, strict=True)]
    exponents = [np.array([(law.a, law.b, law.a_opt) for law in rows]) for rows in rows_of]
    difference, ratio = exponents[0] - exponents[1], ratios[0] - ratios[1]
    a, b, a_opt = (percentile_interval(column[0], column[1:], level) for column in difference.T)
    slope = (ratio[:, -1] - ratio[:, 0]) / np.log(C[-1] / C[0])
    return ExponentComparison(
        laws=(laws[0], laws[1]),
        shared=shared_exponents(surfaces[0], surfaces[1], delta),
        a=a,
        b=b,
        a_opt=a_opt,
        p_value=_p_of_zero(difference[1:, :2], difference[0, :2]),
        C=C,
        log_ratio=tuple(percentile_interval(column[0], column[1:], level) for column in ratio.T),
        slope=percentile_interval(slope[0], slope[1:], level),
        paired=paired,
        samples=(samples[0], samples[1]),
    )


def _weights(
    surfaces: list[Surface], cells: list[np.ndarray], needed: int, replicates: int, seed: int, paired: bool
) -> list[np.ndarray]:
    if paired:
        return draws(surfaces, cells, needed, replicates, seed)
    pairs = enumerate(zip(surfaces, cells, strict=True))
    return [draws([surface], [names], needed, replicates, 2 * seed + index)[0] for index, (surface, names) in pairs]


def shared_exponents(first: Surface, second: Surface, delta: float) -> tuple[Law, Law]:
    """Two laws with one `a` and one `b`, fitted together."""
    parts, size = (first, second), 2 + first.irreducible
    models, split = [part.model() for part in parts], len(first.log_loss)
    # columns: log a and log b of both, then log A, log B and, if any, log E of each
    own = [[at, 0, at + 1, 1, *range(at + 2, at + size)] for at in (2, 2 + size)]

    def predict(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        f = np.empty((len(theta), split + len(second.log_loss)))
        jacobian = np.zeros((*f.shape, 2 + 2 * size))
        for model, columns, rows in zip(models, own, (slice(None, split), slice(split, None)), strict=True):
            f[:, rows], of_part = model(theta[:, columns])
            jacobian[:, rows, columns] = of_part
        return f, jacobian

    bounds, starts = np.empty((2, 2 + 2 * size)), np.empty((len(first.starts(STARTS)), 2 + 2 * size))
    for part, columns in zip(parts, own, strict=True):
        bounds[:, columns], starts[:, columns] = part.bounds, part.starts(STARTS)
    targets = np.concatenate([part.log_loss for part in parts])[None]
    theta, objective = minimise(predict, targets, np.ones_like(targets), starts, bounds, delta)
    best = theta[objective.argmin()]
    return parts[0].law(best[own[0]]), parts[1].law(best[own[1]])


def _p_of_zero(samples: Float[np.ndarray, "R 2"], centre: Float[np.ndarray, " 2"]) -> float:
    """How likely resamples are as far from their centre as 0 is."""
    # the pseudo-inverse, since laws without noise do not scatter
    inverse = np.linalg.pinv(np.cov(samples.T), hermitian=True)
    away = samples - centre
    far = np.einsum("ri,ij,rj->r", away, inverse, away) >= centre @ inverse @ centre
    return float((1 + far.sum()) / (1 + len(far)))
