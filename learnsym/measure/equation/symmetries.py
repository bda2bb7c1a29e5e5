"""What is known of the point symmetries of an equation: generators with bounds, and their algebra.

Legend of axes: `d` dimensions, `V` variables, `M` monomials of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from learnsym.measure.certified.certificates import CertificateVerdict, verdict_of
from learnsym.statistics import Interval

SMALL = 1e-6
"""Coefficients below this share of the largest are not shown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PointGenerator:
    """One generator `v = Σ_c θ_ca m_a(x, u) ∂_c`, with bounds of its defect."""

    coefficients: Float[Tensor, "V M"]
    """`θ`, in the units of the data, of norm 1."""
    defect: Interval
    """Estimate and bounds; those of all generators hold at once."""
    verdict: CertificateVerdict


@dataclass(frozen=True, kw_only=True, eq=False)
class EquationSymmetries:
    """Generators of point symmetries of an equation, the most symmetric first, with verdicts at a tolerance."""

    generators: tuple[PointGenerator, ...]
    spans: tuple[float, ...]
    """Upper bounds of the defects of *all* combinations of the first, the first two, ... generators, at once."""
    dimension: int
    """Largest number of generators of which every combination is certified; 0 where nothing can be decided."""
    basis: Float[Tensor, "d V M"]
    """A sparse basis of the certified algebra, in which each generator has a coefficient 1 where others have 0."""
    low: Float[Tensor, "d V M"] | None
    high: Float[Tensor, "d V M"] | None
    """Ends of intervals of the coefficients, which hold all at once with probability `level`, to first order;
    None where there is no law of errors."""
    least: float
    """Lower bound of the defects of all candidates at once: above `delta` there is no symmetry among them. 0 where
    none is computed."""
    unseen: Float[Tensor, "U V M"]
    """Candidates that move no coordinate of the equation."""
    variables: tuple[str, ...]
    exponents: Int[Tensor, "M V"]
    delta: float
    level: float
    fit_p: float
    """p-value of the test that the class of functions is large enough; 1 for a network."""
    misfit: float
    """Root mean square of what is left of the leading derivatives, over their standard deviation."""
    reason: str = ""
    """Why nothing can be decided; empty when it can."""

    def formulas(self) -> list[str]:
        """The basis in words: of coefficients with an interval those that it tells from 0, and of others all but the
        tiniest."""
        shown = self.basis.clone()
        if self.low is not None and self.high is not None:
            shown[(self.low <= 0) & (self.high >= 0)] = 0
        return [formula(each, self.variables, self.exponents) for each in shown]

    def __str__(self) -> str:
        counts = [
            f"{sum(each.verdict == verdict for each in self.generators)} {verdict}"
            for verdict in ("certified", "refuted", "not decided")
        ]
        said = f"symmetric to within {self.delta:g} at {self.level:.0%} along {self.dimension} dimensions"
        return f"{said}; generators: {', '.join(counts)}{f'; {self.reason}' if self.reason else ''}"


def point_generators(
    coefficients: Float[Tensor, "R V M"],
    estimates: Float[Tensor, "R"],
    bounds: Sequence[tuple[float, float]],
    delta: float,
    level: float,
    reason: str,
) -> tuple[PointGenerator, ...]:
    """Generators, scaled to norm 1, with the verdicts that their bounds allow."""
    return tuple(
        PointGenerator(
            coefficients=each / each.norm(),
            defect=Interval(estimate=estimate, low=low, high=high, level=level),
            verdict=verdict_of(low, high, delta, reason),
        )
        for each, estimate, (low, high) in zip(coefficients, estimates.tolist(), bounds, strict=True)
    )


def dimension_of(spans: Sequence[float], delta: float, reason: str) -> int:
    """Of the largest span that is certified."""
    return 0 if reason else max((count for count, bound in enumerate(spans, 1) if bound <= delta), default=0)


def formula(coefficients: Float[Tensor, "V M"], variables: tuple[str, ...], exponents: Int[Tensor, "M V"]) -> str:
    """`2 t ∂_t + x ∂_x`."""
    edge = SMALL * float(coefficients.abs().max())
    terms = [
        f"{_number(value)}{_monomial(variables, powers)}∂_{variable}"
        for variable, row in zip(variables, coefficients.tolist(), strict=True)
        for value, powers in zip(row, exponents.tolist(), strict=True)
        if abs(value) > edge
    ]
    return " + ".join(terms).replace("+ -", "- ")


def _number(value: float) -> str:
    short = f"{value:.3g}"
    return {"1": "", "-1": "-"}.get(short, f"{short} ")


def _monomial(variables: tuple[str, ...], powers: list[int]) -> str:
    factors = [
        name if power == 1 else f"{name}^{power}" for name, power in zip(variables, powers, strict=True) if power
    ]
    return " ".join(factors) + " " * bool(factors)
