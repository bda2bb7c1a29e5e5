"""The interval of a half-width: sampling, network, floor, and what neither end of the range can tell.

Angles are in degrees of the window.
"""

from __future__ import annotations

import math

from learnsym.measure.pose.choice import Choice
from learnsym.measure.pose.law import LawFit
from learnsym.measure.pose.shapes import EDGE

FLOOR = 0.2
"""Standard deviation of what neither bootstrap nor folds show, the shape of the errors: a share of their scale."""
NATURAL = math.sqrt(3)
"""Half-width in units of the noise below which a uniform law is less spread than the errors of its readings."""
FULL_LOW = 150.0
"""Half-width below which a law would have been told from a flat one."""
REJECTED, REJECTED_BY = 4.0, 0.01
"""Standard errors and nats per example by which a free law must win on held-out poses."""


def is_rejected(choice: Choice) -> bool:
    """Whether the poses are not those of the chosen law with noise: a free law predicts held-out poses better."""
    free = choice.free
    return free.advantage > max(REJECTED_BY, REJECTED * free.advantage_stderr) and not choice.fit.is_flat


def is_natural(fit: LawFit) -> bool:
    """Whether the law is less spread than the errors of readings, which hold the natural spread of poses."""
    return fit.half_width < NATURAL * fit.noise


def extent_interval(choice: Choice, closed: bool, level: float) -> tuple[float, float, float]:
    """Estimate, lower and upper end: of the half-width, or of the extent of the free law when all shapes are rejected.

    Where shapes are not told apart, the interval joins those of each. A rejected shape leaves open whether it or the
    free law is nearer the truth: what an undertrained network reads half a turn off is a flip of the one and a mode of
    the other. The interval then joins those of both.
    """
    each = [half_width_interval(fit, closed, level) for fit in choice.rivals]
    low, high = min(low for _, low, _ in each), max(high for _, _, high in each)
    if not is_rejected(choice):
        return half_width_interval(choice.fit, closed, level)[0], low, high
    half, extent = _normal_half(choice.fit, level), choice.free.extent
    return extent, max(min(low, extent - half), 0.0), min(max(high, extent + half), EDGE)


def half_width_interval(fit: LawFit, closed: bool, level: float) -> tuple[float, float, float]:
    """Estimate, lower and upper end of the half-width.

    The wider of the normal interval and the interval of likelihoods, which opens by itself at the ends of the range.
    The variance of the normal interval is

        max(bootstrap, spread of folds / number of folds) + (FLOOR noise)^2.

    Folds differ by their networks and by their examples, and the bootstrap holds the examples already.

    Args:
        fit: the fitted law.
        closed: whether the window is a circle.
        level: coverage that is aimed at.
    """
    if fit.is_flat:
        return EDGE, FULL_LOW if closed else 0.0, EDGE
    half = _normal_half(fit, level)
    if is_natural(fit):
        return fit.half_width, 0.0, min(max(NATURAL * fit.noise, fit.half_width) + half, EDGE)
    likely = fit.half_widths[fit.profile > fit.profile.max() - _quantile(level) ** 2 / 2]
    low = min(fit.half_width - half, float(likely.min()))
    high = max(fit.half_width + half, float(likely.max()))
    return fit.half_width, max(low, 0.0), min(high, EDGE)


def _quantile(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + level / 2))


def _normal_half(fit: LawFit, level: float) -> float:
    sampling = max(_variance(fit.bootstrap.tolist()), _variance(fit.folds) / len(fit.folds))
    return _quantile(level) * math.sqrt(sampling + (FLOOR * fit.noise) ** 2)


def _variance(values: list[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)
