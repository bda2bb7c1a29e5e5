"""The interval of a half-width: sampling, network, floor, and what neither end of the range can tell.

Angles are in degrees of the window.
"""

from __future__ import annotations

import math

from scipy.stats import norm

from learnsym.measure.pose.deconvolution import Deconvolution
from learnsym.measure.pose.law import LawFit
from learnsym.measure.pose.read_out import EDGE

FLOOR = 1.5
"""Standard deviation of what neither bootstrap nor folds show: shape of the noise, interpolation."""
LOW_EDGE = 2.0
"""Below this multiple of the noise a uniform law is not told from the natural spread of poses."""
HIGH_EDGE, HIGH_LOW = 160.0, 150.0
"""Above `HIGH_EDGE` the gap that the law leaves is hardly seen: the interval is at least `[HIGH_LOW, 180]`."""
EVIDENCE = 15.0
"""Log likelihood ratio to a flat law, in nats, that counts as seen; a flat law itself reaches up to about 10."""
REJECTED, REJECTED_BY = 4.0, 0.01
"""Standard errors and nats per example by which a free law must win on held-out poses."""


def is_flat(fit: LawFit) -> bool:
    """Whether the poses are not told from those of a flat law."""
    return fit.evidence < EVIDENCE or not fit.told_apart


def is_natural(fit: LawFit) -> bool:
    """Whether the law is no wider than the noise, which holds the natural spread of poses."""
    return fit.half_width < LOW_EDGE * fit.noise


def is_rejected(fit: LawFit, free: Deconvolution) -> bool:
    """Whether the poses are not those of one uniform law with noise: a free law predicts held-out poses better."""
    better = free.advantage > max(REJECTED_BY, REJECTED * free.advantage_stderr)
    return better and not is_flat(fit) and not is_natural(fit)


def extent_interval(fit: LawFit, free: Deconvolution, closed: bool, level: float) -> tuple[float, float, float]:
    """Estimate, lower and upper end: of the half-width, or of the extent of the free law when one box is rejected.

    A rejected box leaves open which of the two laws is nearer the truth: what an undertrained network reads half a turn
    off is a flip of the one and a mode of the other. The interval then joins those of both.
    """
    estimate, low, high = half_width_interval(fit, closed, level)
    if not is_rejected(fit, free):
        return estimate, low, high
    half = _normal_half(fit, level)
    return free.extent, max(min(low, free.extent - half), 0.0), min(max(high, free.extent + half), EDGE)


def half_width_interval(fit: LawFit, closed: bool, level: float) -> tuple[float, float, float]:
    """Estimate, lower and upper end of the half-width.

    The wider of the normal interval, whose variance adds bootstrap, spread of folds and floor, and the interval of
    likelihoods; opened at the edges of the range.

    Args:
        fit: the fitted law.
        closed: whether the window is a circle.
        level: coverage that is aimed at.
    """
    if is_flat(fit):
        return EDGE, HIGH_LOW if closed else 0.0, EDGE
    half = _normal_half(fit, level)
    likely = fit.half_widths[fit.profile > fit.profile.max() - _quantile(level) ** 2 / 2]
    low = min(fit.half_width - half, float(likely.min()))
    high = max(fit.half_width + half, float(likely.max()))
    if is_natural(fit):
        low, high = 0.0, max(high, LOW_EDGE * fit.noise)
    if closed and fit.half_width > HIGH_EDGE:
        low, high = min(low, HIGH_LOW), EDGE
    # a law narrower than the noise would add less than a sixth to the spread of poses
    estimate = 0.0 if fit.half_width < fit.noise else fit.half_width
    return estimate, max(low, 0.0), min(high, EDGE)


def _quantile(level: float) -> float:
    return float(norm.ppf(0.5 + level / 2))


def _normal_half(fit: LawFit, level: float) -> float:
    variance = _variance(fit.bootstrap.tolist()) + _variance(fit.folds) / len(fit.folds) + FLOOR**2
    return _quantile(level) * math.sqrt(variance)


def _variance(values: list[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)
