"""The interval of a half-width: sampling, network, floor, and what neither end of the range can tell.

Angles are in degrees of the window.
"""

from __future__ import annotations

import math

from scipy.stats import norm

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


def half_width_interval(fit: LawFit, closed: bool, level: float) -> tuple[float, float, float]:
    """Estimate, lower and upper end.

    The wider of the normal interval, whose variance adds bootstrap, spread of folds and floor, and the interval of
    likelihoods; opened at the edges of the range.

    Args:
        fit: the fitted law.
        closed: whether the window is a circle.
        level: coverage that is aimed at.
    """
    if fit.evidence < EVIDENCE:
        return EDGE, HIGH_LOW if closed else 0.0, EDGE
    z = float(norm.ppf(0.5 + level / 2))
    half = z * math.sqrt(_variance(fit.bootstrap.tolist()) + _variance(fit.folds) / len(fit.folds) + FLOOR**2)
    likely = fit.half_widths[fit.profile > fit.profile.max() - z**2 / 2]
    low = min(fit.half_width - half, float(likely.min()))
    high = max(fit.half_width + half, float(likely.max()))
    if fit.half_width < LOW_EDGE * fit.noise:
        low, high = 0.0, max(high, LOW_EDGE * fit.noise)
    if closed and fit.half_width > HIGH_EDGE:
        low, high = min(low, HIGH_LOW), EDGE
    return fit.half_width, max(low, 0.0), min(high, EDGE)


def _variance(values: list[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)
