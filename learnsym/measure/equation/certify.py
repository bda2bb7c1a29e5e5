"""Point symmetries of an equation behind noisy derivatives: what polynomials the data allow, bounds the algebra.

Legend of axes: `P` points, `K` candidates, `R` directions, `m` equations, `q` monomials, `Q = m q` coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.certified.ball import extremes
from learnsym.measure.certified.directions import directions
from learnsym.measure.certified.polynomials import gradients, monomials
from learnsym.measure.certified.region import FURTHER, Region, region_of
from learnsym.measure.equation.basis import sparse_places, sparse_span, unseen
from learnsym.measure.equation.frame import Frame, check_levels
from learnsym.measure.equation.jets import Jets
from learnsym.measure.equation.symmetries import EquationSymmetries, dimension_of, point_generators

DRAWS = 200
"""Of the errors of the fit, for intervals of coefficients."""


def certify_equation(
    jets: Jets,
    leading: Sequence[str],
    inputs: Sequence[str],
    degree: int = 2,
    generators: int = 2,
    delta: float = 0.05,
    level: float = 0.95,
    seed: int = 0,
) -> EquationSymmetries:
    """Point symmetries of the equation that derivatives obey, with certificates.

    The equation is `u_lead = f(z)`, with `z` the given inputs and `f` a polynomial of them. A generator moves variables
    by polynomials, `v = Σ_c θ_ca m_a(x, u) ∂_c`, and derivatives by its prolongation. It is a symmetry when the
    infinitesimal criterion `pr v(F) = 0` holds on `F = u_lead - f = 0`. Its defect is, in root mean squares over the
    points and with all coordinates over their standard deviations,

        ρ(v) = |pr v(F)| / |pr v|,    pr v(F) = φ^lead - Σ_c ∂_c f φ^c

    that is, by how much the equation fails where coordinates move by one standard deviation. `pr v(F)` is linear in
    `θ`. Linearised in the coefficients of `f`, whose confidence ellipsoid is known, it has upper and lower bounds of
    all combinations of candidates at once (a trust-region problem, as in `certify_generators`). So with probability
    `level`, up to terms of second order in the error of the fit, nothing is certified whose defect is above `delta`.
    The number of generators is that of the largest span of which every combination is certified: no threshold on
    singular values, and no index by hand.

    This needs: values of `z` without errors, independent normal noise of one standard deviation in `u_lead`, and a
    polynomial of the degree. The last is tested against two degrees more, and where the test rejects at `1 - level`, or
    cannot be made, nothing is decided. In the prolongation `u_lead` is the fitted one; further derivatives of it, such
    as `u_tx`, are taken as given, and errors in them count as asymmetry. Only connected groups are seen, and only
    generators within the polynomials.

    References: the criterion and the library follow Hu et al., "LieNLSD" (2025), arXiv 2510.01855, who set the number
    of generators by a threshold for each task; the test is our own. Olver, "Applications of Lie groups to
    differential equations" (1993).

    Args:
        jets: points of solutions with their derivatives, also those that the prolongation needs: `u_tx` for `u_xx`.
        leading: derivatives that the equation is solved for, such as `["u_t"]`; one for each equation.
        inputs: what the right-hand side may depend on, such as `["t", "x", "u", "u_x", "u_xx"]`.
        degree: of the polynomial `f`.
        generators: degree of the polynomials of the generators.
        delta: the largest defect of a symmetry.
        level: probability with which all verdicts hold.
        seed: of the draws from which coefficients have their intervals.

    Raises:
        ValueError: when names do not fit, or points do not determine the polynomial.

    Example:
        >>> t, x, u, v, w = torch.randn(5, 500, dtype=torch.float64)  # a heat equation: any values are possible
        >>> u_t = w + 0.01 * torch.randn(500)
        >>> values = {"t": t, "x": x, "u": u, "u_x": v, "u_xx": w, "u_t": u_t, "u_tx": torch.randn(500).double()}
        >>> jets = ls.measure.Jets(values=values)
        >>> found = ls.measure.certify_equation(jets, ["u_t"], ["t", "x", "u", "u_x", "u_xx"], generators=1)
        >>> found.formulas()[:2], found.dimension
        (['∂_t', 't ∂_t + 0.5 x ∂_x'], 6)
    """
    check_levels(delta, level)
    frame = Frame.of(jets, leading, inputs, generators)
    if degree < 1:
        raise ValueError(f"degree: got {degree}, must be >= 1; 2 is usual")
    z, y = frame.z, frame.y
    region = region_of(z, y, z, degree, level)
    reason = _reason(region.fit_p, level, degree)
    of_candidates = _Linear.of(frame, region)
    found = directions(of_candidates.estimate, of_candidates.motion)
    linear = of_candidates.along(found.theta)
    bounds, spans, least = linear.bounds(region.radius, found.defects)
    dimension = dimension_of(spans, delta, reason)
    basis, low, high = linear.basis(frame, found.theta, dimension, level, seed)
    left = y - monomials(z, region.exponents) @ region.whiten @ region.estimate.mT
    return EquationSymmetries(
        generators=point_generators(frame.coefficients(found.theta), found.defects, bounds, delta, level, reason),
        spans=spans,
        dimension=dimension,
        basis=basis,
        low=low,
        high=high,
        least=least,
        unseen=unseen(frame, found),
        variables=jets.variables,
        exponents=frame.prolongation.exponents,
        delta=delta,
        level=level,
        fit_p=region.fit_p,
        misfit=float(left.square().mean().sqrt()),
        reason=reason,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Linear:
    """`pr v(F)` in the neighbourhood of the fit: `(estimate + change u) θ` for the coefficients `ŵ + S^1/2 u`.

    Rows are over the root of the number of points, so that norms are root mean squares.
    """

    estimate: Float[Tensor, "r K"]
    change: Float[Tensor, "r K Q"]
    motion: Float[Tensor, "s K"]

    @classmethod
    def of(cls, frame: Frame, region: Region) -> _Linear:
        z, root, eye = frame.z, len(frame) ** 0.5, torch.eye(len(frame.leading), dtype=torch.float64)
        phi = monomials(z, region.exponents) @ region.whiten
        slope = gradients(z, region.exponents) @ region.whiten
        f, slopes = phi @ region.estimate.mT, torch.einsum("pnq,mq->pmn", slope, region.estimate)
        motion = frame.motion(f)
        # D(w) depends on w by f = φ w, and by its slopes: ∂D/∂w = ∂D/∂f φ - φ^c ∂_c φ
        by_value = torch.stack(
            [torch.func.jvp(lambda f: frame.departure(f, slopes), (f,), (each.expand_as(f),))[1] for each in eye], -1
        )
        by_slope = torch.einsum("pck,pcq->pkq", motion[:, : z.shape[1]], slope)
        change = torch.einsum("pmko,pq->pmkoq", by_value, phi) - torch.einsum("mo,pkq->pmkoq", eye, by_slope)
        return cls(
            estimate=frame.departure(f, slopes, motion).flatten(0, 1) / root,
            change=(change @ region.root).flatten(3).flatten(0, 1) / root,
            # lengths are kept by the triangle alone
            motion=torch.linalg.qr(motion.flatten(0, 1) / root, mode="r").R,
        )

    def along(self, theta: Float[Tensor, "R K"]) -> _Linear:
        """Of combinations of candidates."""
        change = torch.einsum("dk,rkq->rdq", theta, self.change)
        return _Linear(estimate=self.estimate @ theta.mT, change=change, motion=self.motion @ theta.mT)

    def bounds(
        self, radius: float, defects: Float[Tensor, "R"]
    ) -> tuple[list[tuple[float, float]], tuple[float, ...], float]:
        """Bounds of each direction, upper bounds of the first ones together, and a lower bound of all.

        Candidates are directions of size 1, whose departures at the fit are orthogonal: the largest defect of the first
        ones is that of the last of them. Singular values move by no more than the Frobenius norm of a change (Weyl).
        """
        total = self.change.new_zeros(2 * self.change.shape[2:])
        bounds, spans, reach = [], [], 0.0
        for estimate, change, defect in zip(self.estimate.mT, self.change.movedim(1, 0), defects.tolist(), strict=True):
            bounds.append(extremes(estimate, change, radius))
            total = total + change.mT @ change
            reach = radius * math.sqrt(max(0.0, float(torch.linalg.eigvalsh(total).max())))
            spans.append(defect + reach)
        return bounds, tuple(spans), max(0.0, float(defects[0]) - reach)

    def basis(
        self, frame: Frame, theta: Float[Tensor, "R K"], dimension: int, level: float, seed: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A sparse basis of the span of the first directions, and intervals of its coefficients from draws of the
        errors of the fit."""
        first = theta[:dimension]
        if dimension == 0:
            empty = frame.coefficients(first)
            return empty, empty, empty
        place = sparse_places(frame, first)
        generator = torch.Generator().manual_seed(seed)
        draws = torch.randn(DRAWS, self.change.shape[2], generator=generator, dtype=torch.float64)
        moved = [directions(self.estimate + self.change @ u, self.motion).theta[:dimension] for u in draws]
        drawn = torch.stack([sparse_span(frame, each @ theta, place) for each in moved])
        basis, deviation = sparse_span(frame, first, place), drawn.std(0)
        # all coefficients at once: the largest deviation of a draw, in standard deviations
        far = ((drawn - basis).abs() / torch.where(deviation > 0, deviation, 1.0)).flatten(1).max(1).values
        reach = float(far.quantile(level)) * deviation
        return basis, basis - reach, basis + reach


def _reason(fit_p: float, level: float, degree: int) -> str:
    if math.isnan(fit_p):
        return f"too few points to test the degree against {degree + FURTHER}; take more, or a lower degree"
    if fit_p < 1 - level:
        return f"polynomials of degree {degree} do not fit (p = {fit_p:.1g}); take a higher degree, or more inputs"
    return ""
