"""Whether runs fix both terms of a law."""

from __future__ import annotations

import numpy as np

from learnsym.scaling._surface import EXPONENTS
from learnsym.scaling.law import Law
from learnsym.statistics import Interval

TRACE = 1e-6
"""A term that is nowhere so large a share of the loss is none: its exponent may be anything."""
ENDS = EXPONENTS[0] * 1.01, EXPONENTS[1] / 1.01


def unfixed(law: Law, intervals: tuple[Interval, Interval], N: np.ndarray, D: np.ndarray) -> str | None:
    """Why a fitted law is none of these runs; None where they fix both of its terms.

    Where losses depend on parameters (or samples) too little, or too abruptly, for a power, fits end with an exponent
    at an end of what is searched, or without the term. What would follow from such a law, a best size or the compute
    for a loss, does not follow from the runs.

    Args:
        law: fitted to the runs.
        intervals: of its exponents `a` and `b`.
        N: parameters of each run, (P,).
        D: samples of each run, (P,).
    """
    loss = law.loss(N, D)
    terms = (("parameters", "sizes", "a", law.A * N**-law.a), ("samples", "lengths", "b", law.B * D**-law.b))
    for (what, axis, name, term), exponent in zip(terms, intervals, strict=True):
        low, high = exponent.ends
        if low < ENDS[0] or high > ENDS[1] or np.max(term / loss) < TRACE:
            return (
                f"it is not fixed how these losses fall with {what} ({name} = {exponent.estimate:.2g} "
                f"[{low:.2g}, {high:.2g}], searched from {EXPONENTS[0]:g} to {EXPONENTS[1]:g}); "
                f"train other {axis}, or more of them"
            )
    return None
