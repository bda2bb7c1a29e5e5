"""From the posterior over offsets of each example to one pose and how sharp it is.

The posterior of an example is the law of the readings reflected, shifted to the pose of the example and blurred. So the
pose is read by a matched filter: the shift at which a template, the law of the readings itself, fits best,

    c_i = argmax over c of  sum_b r_i(b) log T(c - b).

Angles are in degrees of the window: 180 is its edge, whatever the generator. Legend of axes: `N` examples, `G` offsets,
`K` templates, `L` lags: `G` on a circle, `2 G - 1` in an open window.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.pose.axis import CELLS
from learnsym.measure.pose.shapes import EDGE

FLOOR = 0.1
"""Share of a template that is uniform: what a reading far off costs is bounded."""


@dataclass(frozen=True)
class ReadOut:
    """Pose and sharpness of each example, in degrees of the window."""

    centre: Float[Tensor, "N"]
    sharpness: Float[Tensor, "N"]


def offsets_of(count: int, closed: bool) -> Float[Tensor, "G"]:
    """The grid of offsets in degrees of the window."""
    cells = count if closed else CELLS
    return (torch.arange(count) - cells // 2) * (2 * EDGE / cells)


def lags_of(count: int, closed: bool) -> Float[Tensor, "L"]:
    """The differences of two offsets, in degrees of the window."""
    if closed:
        return offsets_of(count, True)
    return (torch.arange(2 * count - 1) - (count - 1)) * (2 * EDGE / CELLS)


def read_out(posterior: Float[Tensor, "N G"], template: Float[Tensor, "*K L"], closed: bool) -> ReadOut:
    """Poses by the matched filter of a template, or of that of several which fits best.

    Args:
        posterior: probability of each offset.
        template: density at each lag, up to a factor; of several, each example has its own.
        closed: whether the window is a circle.
    """
    count = posterior.shape[1]
    lag = _lag(count, closed)
    scores = torch.stack([posterior @ _logarithm(each)[lag].mT for each in template.view(-1, template.shape[-1])])
    score = scores[scores.amax(2).argmax(0), torch.arange(len(posterior))]
    best = score.argmax(1)
    offsets = offsets_of(count, closed)
    centre = offsets[best] + float(offsets[1] - offsets[0]) * _vertex(score, best, closed)
    return ReadOut(around(centre) if closed else centre, score.max(1).values - score.mean(1))


def around(angle: Tensor) -> Tensor:
    """Angles brought to `[-180, 180)`."""
    return (angle + EDGE) % (2 * EDGE) - EDGE


def folded(posterior: Float[Tensor, "N G"], order: int) -> Float[Tensor, "N F"]:
    """The posterior modulo an `order`-th of the circle, as a posterior on a circle of its own."""
    cells = posterior.shape[1] // order
    # the offset 0 sits in the middle of the grid and must do so again
    centred = posterior.roll(-(posterior.shape[1] // 2), 1)
    return centred.unflatten(1, (order, cells)).sum(1).roll(cells // 2, 1)


def _logarithm(template: Float[Tensor, "L"]) -> Float[Tensor, "L"]:
    return torch.log((1 - FLOOR) * template / template.sum() + FLOOR / len(template))


def _lag(count: int, closed: bool) -> Tensor:
    places = torch.arange(count)
    lag = places[:, None] - places
    return (lag + count // 2) % count if closed else lag + count - 1


def _vertex(score: Float[Tensor, "N G"], best: Tensor, closed: bool) -> Float[Tensor, "N"]:
    columns = score.shape[1]
    near = best[:, None] + torch.tensor([-1, 0, 1])
    near = near % columns if closed else near.clamp(0, columns - 1)
    left, top, right = score.gather(1, near).unbind(1)
    return (0.5 * (left - right) / (left - 2 * top + right - 1e-9)).clamp(-0.5, 0.5)
