"""How much compute one architecture needs for the loss that another one reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from learnsym.scaling.exponents import Grid
from learnsym.scaling.law import Law

REACH, POINTS = 8.0, 801
"""Budgets up to so many powers of 10 away are searched, at so many points."""


def compute_ratios(
    first: Grid, second: Grid, laws: tuple[Sequence[Law], Sequence[Law]], C: float
) -> Float[np.ndarray, " R"]:
    """For pairs of laws, the compute that the first needs over `C` for the loss that the second has at `C`.

        L_1(r C) = L_2(C)    with L_i(C) = min L_i(N, D) where k_i N^γ_i D = C

    Args:
        first, second: of which the costs of samples are used.
        laws: of the first and of the second, equally many, such as those of resamples.
        C: the budget of the second.

    Returns:
        Ratios `r`, (R,); infinity where the first never reaches that loss, or only with more than 1e8 times as much; 0
        where less than 1e-8 times as much suffices.

    Example:
        >>> law, one = ls.scaling.Law(0.0, 10.0, 0.5, 10.0, 0.5), np.ones(1)
        >>> dense = ls.scaling.Grid(N=one, D=one, loss=one, cells=one)
        >>> costly = ls.scaling.Grid(N=one, D=one, loss=one, cells=one, flops_per_parameter_token=31.0)
        >>> ls.scaling.compute_ratios(costly, dense, ([law], [law]), 1e9).round(3)
        array([5.167])
    """
    exponents = np.linspace(-REACH, REACH, POINTS)
    wanted = np.log(second.frontiers(laws[1], np.array([C])))[:, 0]
    reached = np.log(first.frontiers(laws[0], C * 10.0**exponents))
    return np.array([_crossing(exponents, row, value) for row, value in zip(reached, wanted, strict=True)])


def _crossing(exponents: np.ndarray, losses: np.ndarray, wanted: float) -> float:
    """Where losses, which fall, are the wanted one."""
    if losses[-1] >= wanted:
        return np.inf
    if losses[0] <= wanted:
        return 0.0
    return float(10.0 ** np.interp(-wanted, -losses, exponents))
