"""Cross-check of the law without its form: a parabola per compute budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class IsoFlop:
    """The best sizes per compute budget, and the power law through them."""

    C: Float[np.ndarray, " K"]
    N_opt: Float[np.ndarray, " K"]
    """Where the parabola of each budget is lowest."""
    least: Float[np.ndarray, " K"]
    """Loss there."""
    inside: tuple[bool, ...]
    """Whether the minimum lies between runs of the budget; the power law uses only such budgets."""
    factor: float
    a_opt: float

    def optimal(self, C: float) -> float:
        """Best number of parameters at a compute, `factor · C^a_opt`."""
        return self.factor * C**self.a_opt


def isoflop(N: np.ndarray, C: np.ndarray, loss: np.ndarray) -> IsoFlop:
    """The best size of a network against compute, from runs that share budgets.

        L ≈ p + q log N + r (log N)² per budget,    log N_opt = -q / 2 r,    log N_opt ≈ log g + a_opt log C

    The second road to the exponent `Law.a_opt`: it assumes a valley, not the form of the law. A parabola is
    the valley near its floor; runs farther than a factor of about 10 from the best size pull its minimum aside.

    Reference: Hoffmann et al., "Training compute-optimal large language models" (2022), arXiv 2203.15556, section 3.2.

    Args:
        N: parameters of each run, (P,).
        C: its compute, (P,); runs with equal values form a budget.
        loss: its held-out loss, (P,).

    Raises:
        ValueError: for values that are not positive and finite, arrays of different length, budgets with fewer than
            3 sizes, or fewer than 2 budgets whose minimum lies between their runs.

    Example:
        >>> law, budgets = ls.scaling.Law(E=1.69, A=406.4, a=0.34, B=410.7, b=0.28), 10.0 ** np.arange(18, 22)
        >>> C = np.repeat(budgets, 5)
        >>> N = law.optimal(C)[0] * np.tile([0.3, 0.6, 1.0, 1.7, 3.0], 4)
        >>> found = ls.scaling.isoflop(N, C, law.loss(N, C / (6 * N)))
        >>> round(found.a_opt, 2), round(law.a_opt, 2)
        (0.45, 0.45)
    """
    parts = {name: np.asarray(value, dtype=float) for name, value in (("N", N), ("C", C), ("loss", loss))}
    for name, value in parts.items():
        if value.shape != parts["loss"].shape or value.ndim != 1:
            raise ValueError(f"{name}: got shape {value.shape}, must be (P,) as the loss; give one value per run")
        if not (np.isfinite(value).all() and (value > 0).all()):
            raise ValueError(f"{name}: has values that are not positive and finite; leave out runs that diverged")
    log_n, budgets = np.log(parts["N"]), np.unique(parts["C"])
    best, least, inside = [], [], []
    for budget in budgets:
        of_budget = parts["C"] == budget
        n, values = log_n[of_budget], parts["loss"][of_budget]
        if len(np.unique(n)) < 3:
            raise ValueError(f"C: the budget {budget:g} has fewer than 3 sizes; train more, or leave it out")
        centre = n.mean()
        r, q, p = np.polyfit(n - centre, values, 2)
        lowest = centre - q / (2 * r) if r > 0 else n[values.argmin()]
        best.append(lowest)
        least.append(float(np.polyval((r, q, p), lowest - centre)))
        inside.append(bool(r > 0 and n.min() < lowest < n.max()))
    if sum(inside) < 2:
        raise ValueError(f"C: {sum(inside)} budgets have a minimum between their runs, must be 2; widen the sizes")
    slope, offset = np.polyfit(np.log(budgets)[inside], np.array(best)[inside], 1)
    return IsoFlop(
        C=budgets,
        N_opt=np.exp(best),
        least=np.array(least),
        inside=tuple(inside),
        factor=float(np.exp(offset)),
        a_opt=float(slope),
    )
