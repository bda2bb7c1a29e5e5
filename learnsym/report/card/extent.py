"""How far along a generator a model stays symmetric, with an interval over examples.

Legend of axes: `M` magnitudes, `B` examples, `R` resamples.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.statistics import Interval
from learnsym.statistics.bootstrap import percentile_interval

PARTS = (1 / 36, 1 / 18, 1 / 12, 1 / 9, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1.0)
"""Where a generator is tried, in parts of its reach: 5, 10, 15, 20, 30, 45, 60, 90, 120, 150 and 180 degrees."""
RESAMPLES = 999


def extent(
    magnitudes: Float[Tensor, "M"], departures: Float[Tensor, "M B"], tolerance: float, seed: int = 0
) -> Interval:
    """The largest magnitude up to which the mean departure stays within a tolerance.

        t* = sup {t : mean_i d_i(s) <= tolerance for all s <= t},    d_i(0) = 0

    Linear between magnitudes. The interval holds the middle of `t*` over examples drawn with replacement.

    Args:
        magnitudes: increasing, above 0.
        departures: `d_i(t)` of each example, such as 1 where a prediction has changed.
        tolerance: above 0.
        seed: of the resampling.

    Example:
        >>> from learnsym.report.card.extent import extent
        >>> departures = torch.tensor([0.0, 0.0, 0.2])[:, None].expand(3, 20)
        >>> print(extent(torch.tensor([10.0, 20.0, 30.0]), departures, tolerance=0.1))
        25 [25, 25] at 90%
    """
    t = np.concatenate([[0.0], magnitudes.double().cpu().numpy()])
    d = departures.double().cpu().numpy()
    count = d.shape[1]
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
    resampled = _crossings(t, weights @ d.T, tolerance)
    return percentile_interval(float(_crossings(t, d.mean(1)[None], tolerance)[0]), resampled)


def magnitudes_within(reach: float) -> Float[Tensor, "M"]:
    """Where a generator is tried, up to `reach`."""
    return torch.tensor(PARTS, dtype=torch.float64) * reach


def _crossings(t: np.ndarray, means: np.ndarray, tolerance: float) -> np.ndarray:
    """Where each row of means first exceeds the tolerance; the last magnitude for rows that never do."""
    means = np.concatenate([np.zeros((len(means), 1)), means], axis=1)
    above = means[:, 1:] > tolerance
    first = above.argmax(1)  # the interval in which the crossing lies
    rows = np.arange(len(means))
    before, after = means[rows, first], means[rows, first + 1]
    part = np.clip((tolerance - before) / np.where(after > before, after - before, 1.0), 0.0, 1.0)
    return np.where(above.any(1), t[first] + part * (t[first + 1] - t[first]), t[-1])
