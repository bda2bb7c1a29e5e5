"""The shortest and the longest vector `a + B u` over a ball `|u| <= R`: trust-region problems with exact solutions."""

from __future__ import annotations

import math

import numpy as np
import scipy
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

TIE = 1e-12
"""Relative difference below which eigenvalues are one, and size below which a gradient has no part among them."""
ROUNDING = 1e-9
"""By how much a bracket is wider than it is in exact arithmetic."""


def extremes(a: Float[Tensor, "r"], b: Float[Tensor, "r q"], radius: float) -> tuple[float, float]:
    """`min` and `max` of `|a + B u|` over `|u| <= R`.

    With `BᵀB = V diag(s) Vᵀ`, `c = VᵀBᵀa` and `u = V w` both are stationary points of `|a|² + 2 c·w + Σ s w²`:

        min:  (s + μ) w = -c,   μ >= 0          max:  (λ - s) w = c,   λ >= max s

    where the multiplier makes `|w| = R`, found by bisection with a bracket that is known in advance. In the hard case
    of the maximum, where `c` has no part in the largest eigenvalues, what is missing from `R` is filled up there.

    Reference: Moré and Sorensen, "Computing a trust region step" (1983).
    """
    s, v = np.linalg.eigh((b.mT @ b).numpy())
    s = s.clip(min=0)
    c = v.T @ (b.mT @ a).numpy()
    square = float(a @ a)
    return math.sqrt(max(0.0, _least(square, c, s, radius))), math.sqrt(_greatest(square, c, s, radius))


def _value(square: float, c: NDArray, s: NDArray, w: NDArray) -> float:
    return square + 2 * float(c @ w) + float(s @ w**2)


def _least(square: float, c: NDArray, s: NDArray, radius: float) -> float:
    # along zero eigenvalues nothing changes
    moves = s > TIE * s.max(initial=0)
    c, s = c[moves], s[moves]
    free = -c / s
    if np.linalg.norm(free) <= radius:
        return _value(square, c, s, free)
    # |w(μ)| < |c| / μ, up to rounding
    most = (1 + ROUNDING) * float(np.linalg.norm(c)) / radius
    mu = scipy.optimize.brentq(lambda mu: np.linalg.norm(c / (s + mu)) - radius, 0.0, most, xtol=TIE * most)
    return _value(square, c, s, -c / (s + mu))


def _greatest(square: float, c: NDArray, s: NDArray, radius: float) -> float:
    size, top = float(np.linalg.norm(c)), s.max(initial=0)
    largest = s >= top * (1 - TIE)
    gaps = np.where(largest, 0.0, top - s)
    # |c_top| <= |w(λ)| (λ - top) <= |c|, up to rounding
    low = (1 - ROUNDING) * max(float(np.linalg.norm(c[largest])), TIE * size) / radius
    most = (1 + ROUNDING) * size / radius
    if size == 0 or np.linalg.norm(c / (gaps + low)) <= radius:
        # the hard case
        w = c[~largest] / gaps[~largest]
        return _value(square, c[~largest], s[~largest], w) + top * max(0.0, radius**2 - float(w @ w))
    shift = scipy.optimize.brentq(lambda shift: np.linalg.norm(c / (gaps + shift)) - radius, low, most, xtol=TIE * low)
    return _value(square, c, s, c / (gaps + shift))
