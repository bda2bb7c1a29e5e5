"""SpringSystem: bodies of which some are coupled by springs; symmetry E(3) and permutations, exactly.

Legend of axes: `B` trajectories, `T` frames, `N` bodies, `C` trajectories of one chunk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.dynamics._checks import check_system
from learnsym.data.dynamics._chunks import BLOCK
from learnsym.data.dynamics.frames import FramedSystem

SPREAD, SPEED = 0.5, 0.5
"""Initial scale of positions, and speed of every body."""
HOOKED = math.sqrt(0.5)
"""Probability of a hook, with which half of all pairs are coupled."""


@dataclass(frozen=True, kw_only=True)
class SpringSystem(FramedSystem):
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
    def core(self) -> None:
        """Forces are linear."""
        return None

    @property
    def title(self) -> str:
        """Kind and number of bodies."""
        return f"springs{self.bodies}"

    @property
    def stream(self) -> int:
        """The stream of random numbers for hooks, positions and velocities."""
        return 53

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

    def draw(self, generator: torch.Generator) -> Tensor:
        """One block of states at time 0."""
        shape = (BLOCK, self.bodies, 3)
        hooks = torch.rand(*shape[:2], 1, dtype=torch.float64, generator=generator) < HOOKED
        x = SPREAD * torch.randn(shape, dtype=torch.float64, generator=generator)
        v = torch.randn(shape, dtype=torch.float64, generator=generator)
        return torch.cat([x, SPEED * v / v.norm(dim=-1, keepdim=True), hooks.double()], -1)
