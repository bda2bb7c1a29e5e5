"""SpringSystem: bodies of which some are coupled by springs; symmetry E(3) and permutations, exactly.

Legend of axes: `B` trajectories, `T` frames, `N` bodies, `C` trajectories of one chunk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.dynamics._checks import check_count, check_system
from learnsym.data.dynamics._chunks import BLOCK, draw_blocks
from learnsym.data.dynamics.frames import AHEAD, EVERY, FRAMES, dataset_of_frames
from learnsym.data.dynamics.system import PairwiseSystem

SPREAD, SPEED = 0.5, 0.5
"""Initial scale of positions, and speed of every body."""
HOOKED = math.sqrt(0.5)
"""Probability of a hook, with which half of all pairs are coupled."""


@dataclass(frozen=True, kw_only=True)
class SpringSystem(PairwiseSystem):
    """Bodies of unit mass; those with a hook are coupled to each other by springs without a rest length.

        a_i = -κ sum_{j != i} h_i h_j (x_i - x_j),    h_i in {0, 1}

    A state is `(N, 7)`: position, velocity, hook. Positions are `N(0, 0.5²)`, speeds 0.5, a pair is coupled with
    probability 1/2, and no walls confine the bodies.

    Couplings are a choice. Published ones are independent per pair and hidden, so that one frame does not determine the
    next, and a matrix of pairs is no feature of single bodies. Here a scalar of each body tells them, couplings of
    pairs depend on each other, and the future is a function of the state; pass `x[..., :6]` to a network to hide them.

    Reference: Kipf, Fetaya, Wang, Welling, Zemel, "Neural relational inference for interacting systems" (2018),
    arXiv 1802.04687.

    Args:
        bodies: `N`.
        constant: `κ`.
        dt: time step.
        bound: largest coordinate; beyond it a simulation has blown up.

    Raises:
        ValueError: for numbers out of range.

    Example:
        >>> system = ls.data.dynamics.SpringSystem(bodies=3)
        >>> system.trajectories(2, frames=1).shape
        torch.Size([2, 1, 3, 7])
    """

    bodies: int = 5
    constant: float = 0.1
    dt: float = 1e-3
    bound: float = 1e5

    def __post_init__(self) -> None:
        check_system(self.bodies, self.dt, self.bound)
        if self.constant < 0:
            raise ValueError(f"constant: got {self.constant}, must be >= 0; 0.1 is usual")

    @property
    def cloud(self) -> PointCloud:
        """Position, velocity, hook."""
        return PointCloud(vectors=1, scalars=1)

    @property
    def core(self) -> None:
        """Forces are linear."""
        return None

    def initial(self, count: int, seed: int = 0, device: torch.device | str = "cpu") -> Float[Tensor, "B N 7"]:
        """`count` states at time 0, float64; the first ones of a larger set are those of a smaller one."""
        check_count(count)
        return draw_blocks(count, self._draw, seed, 53).to(device)

    def trajectories(
        self, count: int, seed: int = 0, frames: int = FRAMES, device: torch.device | str = "cpu"
    ) -> Float[Tensor, "B T N 7"]:
        """States every 100 steps, the first after 100: frame `k` is at time `0.1 (k + 1)`.

        Raises:
            SimulationBlewUp: when a coordinate is not finite or beyond `bound`.
            ValueError: for counts below 1.
        """
        check_count(frames, "frames")
        return self.record(self.initial(count, seed, device), frames * EVERY, EVERY)

    def dataset(self, count: int, seed: int = 0, device: torch.device | str = "cpu") -> Dataset:
        """Frame 30 `(B, N, 7)` as input and the positions of frame 40 `(B, N, 3)`, 1000 steps later, as target.

        Raises:
            SimulationBlewUp: when a coordinate is not finite or beyond `bound`.
            ValueError: for a count below 1.
        """
        return dataset_of_frames(self, self.initial(count, seed, device), f"springs{self.bodies}")

    def future(self, x: Float[Tensor, "B N 7"], steps: int = AHEAD) -> Float[Tensor, "B N 3"]:
        """Positions `steps` time steps later, by default as far ahead as the targets of `dataset`."""
        return super().future(x, steps)

    def coupling(self, scalars: Float[Tensor, "1 N C"]) -> Float[Tensor, "N N C"]:
        """`-κ h_i h_j`."""
        return -self.constant * scalars[0, :, None] * scalars[0]

    def accelerate_(
        self,
        force: Float[Tensor, "3 N C"],
        scalars: Float[Tensor, "1 N C"],
        x: Float[Tensor, "3 N C"],
        v: Float[Tensor, "3 N C"],
    ) -> None:
        """Masses are 1."""

    def _draw(self, generator: torch.Generator) -> Tensor:
        shape = (BLOCK, self.bodies, 3)
        hooks = torch.rand(*shape[:2], 1, dtype=torch.float64, generator=generator) < HOOKED
        x = SPREAD * torch.randn(shape, dtype=torch.float64, generator=generator)
        v = torch.randn(shape, dtype=torch.float64, generator=generator)
        return torch.cat([x, SPEED * v / v.norm(dim=-1, keepdim=True), hooks.double()], -1)
