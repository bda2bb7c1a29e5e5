"""Edges: whether they lie along one direction more than along others, which light does not bring about.

    v_i = sum (dx + i dy)^2 / sum |dx + i dy|^2

over the pixels of a disc, with `dx, dy` the derivatives of example `i`: a turn by `t` multiplies it by `exp(2 i t)`, so
that its mean is 0 where objects lie at all angles. It is one number of each example and needs no training, which is why
it sees what a network that has few examples does not. Legend of axes: `N` examples, `C` channels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.pose.centre import axes_of
from learnsym.measure.pose.closure import LEVEL
from learnsym.measure.pose.smoothing import smoothed

INSIDE = 0.75
"""Radius of the disc in half sides."""


def prefer_a_direction(x: Float[Tensor, "N C H W"]) -> bool:
    """Whether the mean of `v_i` is surely not 0.

    Example:
        >>> stripes = torch.rand(60, 1, 1, 16).expand(60, 1, 16, 16)
        >>> prefer_a_direction(stripes), prefer_a_direction(torch.rand(60, 1, 16, 16))
        (True, False)
    """
    return direction_p_value(x) < LEVEL


def direction_p_value(x: Float[Tensor, "N C H W"]) -> float:
    """The p-value of Hotelling's T² for a mean of `v_i` that is 0.

        T² = N m^T S^{-1} m,    T² (N - 2) / (2 (N - 1)) ~ F(2, N - 2),    p = (1 + T² / (N - 1))^(-(N - 2) / 2)

    Reference: Hotelling, "The generalization of Student's ratio" (1931).
    """
    v, count = doubled_direction(x), len(x)
    mean, covariance = v.mean(0), torch.cov(v.mT) + 1e-12 * torch.eye(2).to(v)
    statistic = count * (mean @ torch.linalg.solve(covariance, mean))
    return float((1 + statistic / (count - 1)) ** (-(count - 2) / 2))


def doubled_direction(x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N 2"]:
    """Real and imaginary part of `v_i`; y points up."""
    soft = smoothed(x).double()
    dx = soft[..., 1:-1, 2:] - soft[..., 1:-1, :-2]
    dy = soft[..., :-2, 1:-1] - soft[..., 2:, 1:-1]
    radius = torch.stack(axes_of(x)).square().sum(0).sqrt() * (2 / min(x.shape[2:]))
    inside = (radius < INSIDE)[1:-1, 1:-1]
    parts = [(part * inside).sum((1, 2, 3)) for part in (dx.square() - dy.square(), 2 * dx * dy)]
    energy = ((dx.square() + dy.square()) * inside).sum((1, 2, 3)).clamp(min=1e-12)
    return torch.stack(parts, 1) / energy[:, None]
