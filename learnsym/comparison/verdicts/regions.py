"""Where a curve of differences is above 0, below 0 or neither, and where it crosses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from jaxtyping import Float

from learnsym.comparison.verdicts.difference import Difference


@dataclass(frozen=True, kw_only=True)
class Region:
    """A range of training examples with one verdict: sign 1 (the first is better), -1 (the second) or 0 (undecided)."""

    low: float
    high: float
    sign: int


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A number of examples at which the better arm changes, from the sign of `before` to its opposite."""

    estimate: float
    low: float
    high: float
    before: int


def regions(train: Sequence[int], differences: Sequence[Difference]) -> list[Region]:
    """The verdict at every number of examples.

    The test of "no difference" is inverted: a number of examples belongs to the confidence set of a crossing when the
    interval of the difference there contains 0. Between trained numbers the ends of the intervals are interpolated
    linearly in log n, which is wider than the interval of the interpolated difference.

    Args:
        train: numbers of training examples, increasing, (P,).
        differences: first minus second at each of them, (P,).

    Example:
        >>> from learnsym.comparison.verdicts import Difference, regions
        >>> curve = [Difference(estimate=d, low=d - 1, high=d + 1, seeds=3) for d in (3.0, -3.0)]
        >>> [(round(region.low), round(region.high), region.sign) for region in regions([100, 1000], curve)]
        [(100, 215, 1), (215, 464, 0), (464, 1000, -1)]
    """
    x, low, high = _curves(train, differences)
    if len(x) == 1:
        return [Region(low=float(train[0]), high=float(train[0]), sign=differences[0].sign)]
    roots = np.unique(np.concatenate([_roots(x, low), _roots(x, high)]))
    # a trained number twice is a piece of its own: it may be decided between two that are not
    edges = np.sort(np.concatenate([np.setdiff1d(roots, x), x, x]))
    middles = (edges[1:] + edges[:-1]) / 2
    signs = (_at(x, low, middles) > 0).astype(int) - (_at(x, high, middles) < 0)
    # exp(log n) is not n to the last bit on every processor
    numbers = np.where(np.isin(edges, x), np.take(train, np.searchsorted(x, edges), mode="clip"), np.exp(edges))
    pieces = zip(signs.tolist(), pairwise(numbers.tolist()), strict=True)
    joined = [(sign, [edge for _, edge in group]) for sign, group in groupby(pieces, key=lambda piece: piece[0])]
    return [Region(low=ends[0][0], high=ends[-1][1], sign=sign) for sign, ends in joined]


def crossings(train: Sequence[int], differences: Sequence[Difference], areas: Sequence[Region]) -> list[Crossing]:
    """The changes of sign between decided regions, each with the range in which it must lie."""
    at_zero = zeros(train, differences)
    decided = [region for region in areas if region.sign]
    changes = [(before, after) for before, after in pairwise(decided) if before.sign != after.sign]
    return [_crossing(before, after, at_zero) for before, after in changes]


def zeros(train: Sequence[int], differences: Sequence[Difference]) -> Float[np.ndarray, " Z"]:
    """The numbers of examples at which the estimates go through 0."""
    x, _, _ = _curves(train, differences)
    return np.exp(_roots(x, np.array([difference.estimate for difference in differences], dtype=float)))


def _crossing(before: Region, after: Region, at_zero: Float[np.ndarray, " Z"]) -> Crossing:
    inside = at_zero[(at_zero >= before.high * (1 - 1e-9)) & (at_zero <= after.low * (1 + 1e-9))]
    # a mean that goes through 0 several times, within noise, does so an odd number of times
    estimate = inside[len(inside) // 2] if len(inside) else (before.high * after.low) ** 0.5
    return Crossing(estimate=float(estimate), low=before.high, high=after.low, before=before.sign)


def _curves(train: Sequence[int], differences: Sequence[Difference]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ends = [[difference.low for difference in differences], [difference.high for difference in differences]]
    return np.log(np.array(train, dtype=float)), np.array(ends[0], dtype=float), np.array(ends[1], dtype=float)


def _roots(x: Float[np.ndarray, " P"], y: Float[np.ndarray, " P"]) -> Float[np.ndarray, " Z"]:
    """Where the lines between points go through 0."""
    a, b = y[:-1], y[1:]
    change = np.flatnonzero((np.sign(a) != np.sign(b)) & ~(np.isinf(a) & np.isinf(b)))
    a, b = a[change], b[change]
    with np.errstate(invalid="ignore"):
        share = np.where(np.isinf(a), 1.0, a / (a - b))
    return x[change] + share * (x[change + 1] - x[change])


def _at(x: Float[np.ndarray, " P"], y: Float[np.ndarray, " P"], where: Float[np.ndarray, " M"]) -> np.ndarray:
    """Interpolated values; between a point and an infinite one they are infinite."""
    left = np.clip(np.searchsorted(x, where, side="right") - 1, 0, len(x) - 2)
    share = (where - x[left]) / (x[left + 1] - x[left])
    with np.errstate(invalid="ignore"):
        between = (1 - share) * y[left] + share * y[left + 1]
    return np.where(share == 0, y[left], np.where(share == 1, y[left + 1], between))
