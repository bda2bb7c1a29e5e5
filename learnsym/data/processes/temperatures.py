"""Surface temperatures: weather over a map of land and heights that is always the same, known at a few places.

Legend of axes: `B` days, `P` places, `K` waves, `N` context points, `T` targets; places are east and north.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.processes.dataset import task_dataset
from learnsym.data.seeding import generator
from learnsym.tasks import Tasks

MAP, LENGTH_OF_MAP = 11, 0.5
"""Seed of the map, and the length over which it changes."""
NORTHWARDS, SEASON, HEIGHT = 0.6, 0.8, 0.6
"""Fall towards the north, swing of the seasons on land, and fall on the highest land."""
WEATHER, LENGTH_OF_WEATHER, NOISE = 0.4, 0.4, 0.05
WAVES = 128


@dataclass(frozen=True, kw_only=True)
class SurfaceTemperatures:
    """Temperatures of one day each, at random places of the square [-1, 1]².

        T(x) = -a x_north - b cos(2π d) m(x) - c m(x) h(x) + w(x) + noise

    with the day of the year `d`, land `m`, heights `h` and weather `w`, a stationary process that is drawn anew each
    day. Weather moves freely; land, heights and the fall northwards are facts of the place, so that shifts hold nearly
    and no turn does. `m` and `h` are one map of the whole plane. A simulator of our own in place of measured
    temperatures as those of Ashman et al. (2024), arXiv 2406.13488; no numbers compare.

    Args:
        context: the largest number of context points.
        targets: number of targets.
        shift: how far in the east the places are, where the same map has other land.

    Raises:
        ValueError: for numbers that are too small.

    Example:
        >>> ls.data.processes.SurfaceTemperatures(context=8, targets=16).dataset(2, seed=0).in_shape
        (24, 2)
    """

    context: int = 64
    targets: int = 128
    shift: float = 0.0

    def __post_init__(self) -> None:
        if self.context < 1 or self.targets < 1:
            raise ValueError(
                f"context, targets: got {self.context}, {self.targets}, must be at least 1; 64 and 128 are usual"
            )

    def dataset(self, count: int, seed: int = 0) -> Dataset:
        """So many tasks, each of a day of its own."""
        draws = generator(seed, 83)
        places = self.context + self.targets
        x = 2 * torch.rand(count, places, 2, generator=draws) - 1 + torch.tensor([self.shift, 0.0])
        day = torch.rand(count, 1, generator=draws)
        y = climate(x, day) + WEATHER * waves(x, LENGTH_OF_WEATHER, count, draws)
        y = (y + NOISE * torch.randn(y.shape, generator=draws))[..., None]
        mask = torch.arange(self.context) < torch.randint(1, self.context + 1, (count, 1), generator=draws)
        context, targets = x.split([self.context, self.targets], 1)
        known, asked = y.split([self.context, self.targets], 1)
        known, context = (torch.where(mask[..., None], each, 0.0) for each in (known, context))
        tasks = Tasks(context, known, mask, targets)
        return task_dataset(tasks, torch.cat([asked, torch.ones_like(asked)], -1), "temperatures")


def climate(x: Float[Tensor, "B P 2"], day: Float[Tensor, "B 1"]) -> Float[Tensor, "B P"]:
    """The temperature of each place without weather, at a share of the year that begins in winter."""
    draws = generator(MAP, 89)
    land = torch.sigmoid(4 * waves(x, LENGTH_OF_MAP, 1, draws))
    height = waves(x, LENGTH_OF_MAP, 1, draws).clamp(min=0)
    return -NORTHWARDS * x[..., 1] - land * (SEASON * (2 * math.pi * day).cos() + HEIGHT * height)


def waves(x: Float[Tensor, "B P 2"], length: float, count: int, draws: torch.Generator) -> Float[Tensor, "B P"]:
    """`count` draws, one for all or one for each day, of a process of variance 1 with a Gaussian kernel.

    A sum of random waves, `√(2 / K) Σ cos(k·x + φ)` with `k` of standard deviation `1 / length` (Rahimi, Recht 2007,
    "Random features for large-scale kernel machines").
    """
    k = torch.randn(count, WAVES, 2, generator=draws) / length
    phase = 2 * math.pi * torch.rand(count, 1, WAVES, generator=draws)
    return (x @ k.mT + phase).cos().sum(-1) * (2 / WAVES) ** 0.5
