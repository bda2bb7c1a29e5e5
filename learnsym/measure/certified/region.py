"""A least-squares fit of polynomials with its exact confidence region, and a test that the degree is enough.

Legend of axes: `N` examples, `P` points of reference, `n` numbers per input, `m` numbers per output, `q` monomials.
"""

from __future__ import annotations

from dataclasses import dataclass

import scipy
import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.measure.certified.polynomials import monomials, powers

ROUNDING = 1e-12
"""Residuals below this share of the outputs are rounding: the polynomial is exact."""
FURTHER = 2
"""Degrees beyond that of the fit which are tested: odd and even terms that were left out are both seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """`f(x) = Σ_a w_a φ_a(x)` with `φ` orthonormal over the points of reference: all `w` that the data allow.

    The ellipsoid `ŵ + S^1/2 u, |u| <= R` holds the true coefficients with probability `level`, exactly for independent
    normal noise of one standard deviation in all outputs and examples:

        S = σ² I_m ⊗ (ΦᵀΦ)⁻¹,    R² = Q F_{Q, m(N - q)}(level),    Q = m q
    """

    estimate: Float[Tensor, "m q"]
    root: Float[Tensor, "q q"]
    """`S^1/2` of one output."""
    radius: float
    exponents: Int[Tensor, "q n"]
    whiten: Float[Tensor, "q q"]
    """`φ = monomials @ whiten`."""
    fit_p: float
    """p-value of the F test against polynomials of two degrees more; nan where examples are too few for it."""


def region_of(
    x: Float[Tensor, "N n"], y: Float[Tensor, "N m"], at: Float[Tensor, "P n"], degree: int, level: float
) -> Region:
    """The confidence region of the coefficients.

    Raises:
        ValueError: when the examples, or the points of reference, do not determine the polynomial.
    """
    exponents = powers(x.shape[1], degree)
    count, m, q = len(x), y.shape[1], len(exponents)
    if count <= q:
        raise ValueError(
            f"x: got {count} examples for {q} monomials of degree {degree}, must be more; take a lower degree"
        )
    # norms over the points of reference are those of coefficients: at = Q R and φ = monomials R⁻¹
    whiten = _inverse(torch.linalg.qr(monomials(at, exponents), mode="r").R / len(at) ** 0.5, "at", degree)
    phi = monomials(x, exponents) @ whiten
    q_factor, triangle = torch.linalg.qr(phi)
    inverse = _inverse(triangle, "x", degree)
    estimate = (inverse @ (q_factor.mT @ y)).mT
    residual = y - q_factor @ (q_factor.mT @ y)
    freedom = m * (count - q)
    sigma = float(residual.square().sum() / freedom) ** 0.5
    radius = float(m * q * scipy.stats.f.ppf(level, m * q, freedom)) ** 0.5
    return Region(
        estimate=estimate,
        root=sigma * inverse,
        radius=radius,
        exponents=exponents,
        whiten=whiten,
        fit_p=_fit_p(x, y, residual, degree),
    )


def _inverse(triangle: Float[Tensor, "q q"], name: str, degree: int) -> Tensor:
    rank = int(torch.linalg.matrix_rank(triangle))
    if triangle.shape[0] < triangle.shape[1] or rank < len(triangle):
        raise ValueError(
            f"{name}: monomials of degree {degree} are dependent at these points ({rank} of {triangle.shape[1]}), as "
            "on a sphere or a single curve; take a lower degree, or points that fill a region"
        )
    return torch.linalg.solve_triangular(triangle, torch.eye(len(triangle), dtype=triangle.dtype), upper=True)


def _fit_p(x: Tensor, y: Tensor, residual: Float[Tensor, "N m"], degree: int) -> float:
    """`F = ((RSS - RSS') / ν) / (RSS' / ν')` for the additional monomials."""
    if residual.norm() <= ROUNDING * y.norm():
        return 1.0
    larger = monomials(x, powers(x.shape[1], degree + FURTHER))
    q_factor, triangle = torch.linalg.qr(larger)
    spare = len(x) - larger.shape[1]
    if spare < 1:
        return float("nan")
    # dependent monomials are directions of no use, which QR returns as rounding
    rank = int(torch.linalg.matrix_rank(triangle))
    if rank < larger.shape[1]:
        q_factor = torch.linalg.svd(larger, full_matrices=False).U[:, :rank]
        spare = len(x) - rank
    further = rank - len(powers(x.shape[1], degree))
    if further < 1:
        return float("nan")
    left = float((residual - q_factor @ (q_factor.mT @ residual)).square().sum())
    gained, m = float(residual.square().sum()) - left, y.shape[1]
    return float(scipy.stats.f.sf((gained / (m * further)) / (left / (m * spare)), m * further, m * spare))
