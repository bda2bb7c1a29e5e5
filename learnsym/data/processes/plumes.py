"""Smoke about an obstacle: a simulated plume of the plane, known at a few places.

Legend of axes: `B` simulations, `n` cells along an axis, `N` context points, `T` targets; channels of a velocity are
across and up, rows run from the bottom to the top.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.processes.dataset import task_dataset
from learnsym.data.seeding import generator
from learnsym.tasks import Tasks

CENTRE, RADIUS = (0.25, 0.1), 0.3
"""Of the obstacle, in the square [-1, 1]²: in no place that a symmetry of the square keeps."""
STEPS, DT, BUOYANCY, SWEEPS = 28, 0.09, 1.5, 40
SOURCE = 0.4
"""Radius of the source."""
CHUNK = 256


@dataclass(frozen=True, kw_only=True)
class Plumes:
    """Smoke that rises from a place at random in a closed box and flows about a disc that is always in the same place.

        ∂u/∂t = -u·∇u - ∇p + b s e_y,    ∇·u = 0,    ∂s/∂t = -u·∇s,    u·n = 0 on the walls and on the disc

    by stable fluids: steps back along the flow, and Jacobi sweeps for the pressure. Contexts are smoke at 1 to
    `context` random places of the box, targets smoke at others, with noise of 0.02, in units of its standard deviation
    over simulations. Where the smoke comes from moves freely; that it rises breaks rotations, and walls and disc break
    translations, both by a fact of the place. A simulator of our own, for the kind of task of Ashman et al. (2024),
    arXiv 2406.13488, whose sizes are not known; no numbers compare.

    Reference: Stam, "Stable fluids" (1999).

    Args:
        context: the largest number of context points.
        targets: number of targets.
        size: cells along an axis.

    Raises:
        ValueError: for numbers that are too small.

    Example:
        >>> ls.data.processes.Plumes(context=8, targets=16, size=16).dataset(2, seed=0).in_shape
        (24, 2)
    """

    context: int = 64
    targets: int = 128
    size: int = 32

    def __post_init__(self) -> None:
        if self.context < 1 or self.targets < 1 or self.size < 8:
            raise ValueError(
                f"context, targets, size: got {self.context}, {self.targets}, {self.size}, must be at least 1, 1 and "
                "8; 64, 128 and 32 are usual"
            )

    def dataset(self, count: int, seed: int = 0) -> Dataset:
        """So many tasks, each of a simulation of its own."""
        draws = generator(seed, 79)
        parts = [self._drawn(min(CHUNK, count - start), draws) for start in range(0, count, CHUNK)]
        tasks = Tasks(*(torch.cat(part) for part in zip(*(tasks for tasks, _ in parts), strict=True)))
        return task_dataset(tasks, torch.cat([targets for _, targets in parts]), "plumes")

    def _drawn(self, count: int, draws: torch.Generator) -> tuple[Tasks, Tensor]:
        where = torch.rand(count, 2, generator=draws) * torch.tensor([1.4, 0.6]) - torch.tensor([0.7, 0.9])
        smoke = simulated(where, self.size)
        x = 2 * torch.rand(count, self.context + self.targets, 2, generator=draws) - 1
        values = F.grid_sample(smoke[:, None], x[:, :, None], align_corners=False, padding_mode="border")[:, 0]
        y = (values - MEAN) / DEVIATION + NOISE * torch.randn(values.shape, generator=draws)
        mask = torch.arange(self.context) < torch.randint(1, self.context + 1, (count, 1), generator=draws)
        context, targets = x.split([self.context, self.targets], 1)
        known, asked = y.split([self.context, self.targets], 1)
        known, context = (torch.where(mask[..., None], each, 0.0) for each in (known, context))
        return Tasks(context, known, mask, targets), torch.cat([asked, torch.ones_like(asked)], -1)


MEAN, DEVIATION, NOISE = 0.16, 0.27, 0.02
"""Of smoke in simulations of 32 cells, rounded; and the noise of values."""


def obstacle(size: int) -> Bool[Tensor, "n n"]:
    """The cells that the disc takes."""
    x, y = _places(size)
    return (x - CENTRE[0]).square() + (y - CENTRE[1]).square() < RADIUS**2


def simulated(where: Float[Tensor, "B 2"], size: int) -> Float[Tensor, "B n n"]:
    """The smoke at the end, of sources at given places.

    Example:
        >>> from learnsym.data.processes.plumes import obstacle, simulated
        >>> smoke = simulated(torch.tensor([[0.0, -0.6]]), 16)
        >>> smoke.shape, float(smoke[0][obstacle(16)].abs().max())
        (torch.Size([1, 16, 16]), 0.0)
    """
    free = (~obstacle(size)).float()
    x, y = _places(size)
    away = (x - where[:, :1, None]).square() + (y - where[:, 1:, None]).square()
    source = (-away / (2 * (SOURCE / 2) ** 2)).exp() * free
    smoke, u = torch.zeros_like(source), torch.zeros(len(where), 2, size, size)
    for _ in range(STEPS):
        smoke = torch.maximum(smoke, source)
        u = u + DT * BUOYANCY * torch.stack([torch.zeros_like(smoke), smoke], 1)
        u = projected(carried(u, u), free)
        smoke = carried(smoke[:, None], u)[:, 0] * free
    return smoke


def carried(f: Float[Tensor, "B C n n"], u: Float[Tensor, "B 2 n n"]) -> Float[Tensor, "B C n n"]:
    """A step along the flow: each cell takes what was where its content came from."""
    x, y = _places(f.shape[-1])
    back = torch.stack([x - DT * u[:, 0], y - DT * u[:, 1]], -1)
    return F.grid_sample(f, back, align_corners=False, padding_mode="border")


def projected(u: Float[Tensor, "B 2 n n"], free: Float[Tensor, "n n"]) -> Float[Tensor, "B 2 n n"]:
    """A flow without sources that leaves neither the box nor enters the disc: `u - ∇p` with `Δp = ∇·u`.

    Velocities between cells, those through walls 0, as a marker-and-cell grid has them.
    """
    # velocities through the faces between free cells
    right = 0.5 * (u[:, 0, :, 1:] + u[:, 0, :, :-1]) * free[:, 1:] * free[:, :-1]
    up = 0.5 * (u[:, 1, 1:] + u[:, 1, :-1]) * free[1:] * free[:-1]
    open_right, open_up = free[:, 1:] * free[:, :-1], free[1:] * free[:-1]
    flow = _divergence(right, up)
    doors = _neighbours(torch.ones_like(free), open_right, open_up).clamp(min=1)
    p = torch.zeros_like(flow)
    for _ in range(SWEEPS):
        p = (_neighbours(p, open_right, open_up) - flow) / doors
    right = right - open_right * (p[:, :, 1:] - p[:, :, :-1])
    up = up - open_up * (p[:, 1:] - p[:, :-1])
    across = 0.5 * (F.pad(right, (1, 0)) + F.pad(right, (0, 1)))
    upwards = 0.5 * (F.pad(up, (0, 0, 1, 0)) + F.pad(up, (0, 0, 0, 1)))
    return torch.stack([across, upwards], 1) * free


def _divergence(right: Tensor, up: Tensor) -> Tensor:
    """What leaves each cell through its faces."""
    return F.pad(right, (0, 1)) - F.pad(right, (1, 0)) + F.pad(up, (0, 0, 0, 1)) - F.pad(up, (0, 0, 1, 0))


def _neighbours(p: Tensor, open_right: Tensor, open_up: Tensor) -> Tensor:
    """The sum of the pressures of the neighbours to which there is a way."""
    beside = F.pad(open_right * p[..., 1:], (0, 1)) + F.pad(open_right * p[..., :-1], (1, 0))
    above = F.pad(open_up * p[..., 1:, :], (0, 0, 0, 1)) + F.pad(open_up * p[..., :-1, :], (0, 0, 1, 0))
    return beside + above


def _places(size: int) -> tuple[Tensor, Tensor]:
    """Centres of the cells: across, and up."""
    along = (2 * torch.arange(size) + 1) / size - 1
    y, x = torch.meshgrid(along, along, indexing="ij")
    return x, y
