"""Bounds of the root of a ratio of two means over the same examples.

Legend of axes: `J` examples.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.statistics import student_quantile


def upper_ratio(q: Float[Tensor, "J"], h: Float[Tensor, "J"], level: float, extra: float) -> float:
    """The true `(E q / E h)^1/2` lies below this with probability `1 - level`; infinite where `E h` is not told from 0.

        the larger s with  (q̄ - s² h̄)² = t² var(q - s² h) / n,    n = J + 1

    One example more is counted, with `q` as given and `h` as usual: nothing seen is no proof of nothing there.

    Reference: Fieller, "Some problems in interval estimation" (1954).
    """
    return _roots(torch.cat([q, q.new_tensor([extra])]), torch.cat([h, h.mean()[None]]), level)[1]


def lower_ratio(q: Float[Tensor, "J"], h: Float[Tensor, "J"], level: float) -> float:
    """The true `(E q / E h)^1/2` lies above this with probability `1 - level`: the smaller root, without one more."""
    return _roots(q, h, level)[0]


def _roots(q: Tensor, h: Tensor, level: float) -> tuple[float, float]:
    t = student_quantile(1 - 2 * level, len(q) - 1)
    (vq, c), (_, vh) = (t**2 / len(q) * torch.stack([q, h]).cov()).tolist()
    mq, mh = float(q.mean()), float(h.mean())
    a, b = mh**2 - vh, mq * mh - c
    if a <= 0:
        return 0.0, math.inf
    reach = math.sqrt(max(0.0, b**2 - a * (mq**2 - vq)))
    low = (b - reach) / a if mq**2 > vq else 0.0
    return math.sqrt(max(0.0, low)), math.sqrt(max(0.0, (b + reach) / a))
