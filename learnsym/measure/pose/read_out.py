"""From the posterior over offsets of each example to one pose and how sharp it is.

The posterior of an example is the law of poses reflected, shifted to the pose of the example and blurred. Its circular
mean is the pose when the law is narrow; when the law leaves only a gap, the whole shape counts. So the pose is read by
a matched filter with the shape of a box, and the box that makes the poses most informative is taken.

Angles are in degrees of the window: 180 is its edge, whatever the generator. Legend of axes: `N` examples, `G` offsets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import ndtr
from torch import Tensor

from learnsym.measure.pose.axis import CELLS

EDGE = 180.0
FILTER_NOISE, FILTER_FLOOR = 15.0, 0.1
CLOSED_FILTERS = (0.0, 90.0, 115.0, 135.0, 150.0, 165.0)
OPEN_FILTER = 30.0


@dataclass(frozen=True)
class ReadOut:
    """Pose and sharpness of each example, in degrees of the window."""

    centre: Float[Tensor, "N"]
    sharpness: Float[Tensor, "N"]


def box_density(c: np.ndarray, half_width: np.ndarray | float, noise: np.ndarray | float, closed: bool) -> np.ndarray:
    """Density at `c` of `U(-half_width, half_width)` plus normal noise, wrapped around the circle when `closed`."""
    h = np.maximum(half_width, 0.5)
    turns = range(-2, 3) if closed else range(1)
    shifted = [c + 2 * EDGE * turn for turn in turns]
    return np.sum([(ndtr((z + h) / noise) - ndtr((z - h) / noise)) / (2 * h) for z in shifted], 0)


def degrees_of_window(posterior: Float[Tensor, "N G"], closed: bool) -> Float[Tensor, "G"]:
    """The grid of offsets in degrees of the window."""
    cells = posterior.shape[1] if closed else CELLS
    return (torch.arange(posterior.shape[1]) - cells // 2) * (2 * EDGE / cells)


def read_out(posterior: Float[Tensor, "N G"], width: float, closed: bool) -> ReadOut:
    """Poses by the filter of a box of half-width `width`; 0 for the (circular) mean.

    Args:
        posterior: probability of each offset.
        width: half-width of the box in degrees of the window.
        closed: whether the window is a circle.
    """
    beta = degrees_of_window(posterior, closed)
    score = posterior @ _filter(beta, width, closed).mT
    best = score.argmax(1)
    step = float(beta[1] - beta[0])
    centre = beta[best] + step * _vertex(score, best, closed)
    if closed:
        centre = (centre + EDGE) % (2 * EDGE) - EDGE
    return ReadOut(centre, score.max(1).values - score.mean(1))


def folded(posterior: Float[Tensor, "N G"], order: int) -> Float[Tensor, "N F"]:
    """The posterior modulo an `order`-th of the circle, as a posterior on a circle of its own."""
    cells = posterior.shape[1] // order
    # the offset 0 sits in the middle of the grid and must do so again
    centred = posterior.roll(-(posterior.shape[1] // 2), 1)
    return centred.unflatten(1, (order, cells)).sum(1).roll(cells // 2, 1)


def _filter(beta: Float[Tensor, "G"], width: float, closed: bool) -> Float[Tensor, "G G"]:
    lag = beta[:, None] - beta
    if width == 0.0:
        # the maximiser is the circular mean, or the mean
        return torch.cos(torch.deg2rad(lag)) if closed else -0.5 * torch.deg2rad(lag).square()
    shape = torch.from_numpy(box_density(lag.double().numpy(), width, FILTER_NOISE, closed)).to(beta)
    step = float(beta[1] - beta[0])
    return torch.log((1 - FILTER_FLOOR) * shape * step + FILTER_FLOOR / len(beta))


def _vertex(score: Float[Tensor, "N G"], best: Tensor, closed: bool) -> Float[Tensor, "N"]:
    columns = score.shape[1]
    around = best[:, None] + torch.tensor([-1, 0, 1])
    around = around % columns if closed else around.clamp(0, columns - 1)
    left, top, right = score.gather(1, around).unbind(1)
    return (0.5 * (left - right) / (left - 2 * top + right - 1e-9)).clamp(-0.5, 0.5)
