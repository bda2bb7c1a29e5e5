"""Heading: the direction in which a body travels over the ground.

Angles are in degrees about the vertical y axis: 0 along +z, 90 along +x. Legend of axes: `W` windows, `J` joints.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.motion.kinematics import rotation

STANDS = 1e-6
"""Metres below which a body does not travel."""


class Headings(NamedTuple):
    """How headings are spread, in degrees."""

    mean: float
    """Of the mean direction `R`, in [-180, 180]."""
    spread: float
    """Circular standard deviation `sqrt(-2 ln |R|)`."""
    low: float
    """Smallest heading, counted from the mean."""
    high: float
    """Largest heading, counted from the mean."""


def headings(x: Float[Tensor, "W J F"], y: Float[Tensor, "W J 3"]) -> Float[Tensor, " W"]:
    """The heading of each window, which is that of the mean displacement of its joints over the ground.

    Args:
        x: bodies, positions first.
        y: the same bodies later.

    Raises:
        ValueError: when a body does not travel.
    """
    d = (y - x[..., :3]).mean(1)
    still = (d[:, [0, 2]].norm(dim=-1) < STANDS).nonzero()
    if len(still):
        raise ValueError(f"y: the body of window {int(still[0])} stands over the ground; leave it out")
    return torch.rad2deg(torch.atan2(d[:, 0], d[:, 2]))


def heading_statistics(angles: Float[Tensor, " W"]) -> Headings:
    """Mean, spread and range of headings, on the circle.

    Example:
        >>> [round(value, 1) for value in ls.data.motion.heading_statistics(torch.tensor([179.0, -177.0]))]
        [-179.0, 2.0, -2.0, 2.0]
    """
    radians = torch.deg2rad(angles.double())
    R = torch.stack([radians.cos().mean(), radians.sin().mean()])
    mean = torch.atan2(R[1], R[0])
    apart = torch.rad2deg(torch.remainder(radians - mean + torch.pi, 2.0 * torch.pi) - torch.pi)
    spread = torch.rad2deg((-2.0 * R.norm().clamp(1e-300, 1.0).log()).sqrt())
    return Headings(float(torch.rad2deg(mean)), float(spread), float(apart.min()), float(apart.max()))


def turn(
    x: Float[Tensor, "W J F"], y: Float[Tensor, "W J 3"], angles: Float[Tensor, " W"]
) -> tuple[Float[Tensor, "W J F"], Float[Tensor, "W J 3"]]:
    """Each window turned about the vertical axis through the origin: headings grow by `angles`."""
    g = rotation(angles[:, None], "y")
    return PointCloud(vectors=1, scalars=x.shape[-1] - 6)(g, x), PointCloud()(g, y)


def turn_to(dataset: Dataset, heading: float | Float[Tensor, " W"]) -> Dataset:
    """Windows turned so that each has the given heading, one for all or one per window.

    Args:
        dataset: windows, such as `mocap-run`.
        heading: in degrees.

    Example:
        >>> walk = torch.rand(2, 31, 37)
        >>> data = ls.data.Dataset(walk, walk[..., :3] + torch.tensor([0.0, 0.0, 1.0]))
        >>> east = ls.data.motion.turn_to(data, 90.0)
        >>> ls.data.motion.headings(east.x, east.y).round()
        tensor([90., 90.])
    """
    angles = heading - headings(dataset.x, dataset.y)
    x, y = turn(dataset.x, dataset.y, angles)
    return replace(dataset, x=x, y=y)
