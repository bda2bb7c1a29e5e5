"""An arm of two links that torques move: a world whose actions are moved by the turns and flips of the plane.

Legend of axes: `N` transitions, `T` steps, `H`, `W` pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.seeding import generator
from learnsym.data.worlds import arm
from learnsym.data.worlds.grid import Rollouts

GOAL = (0.09, 0.13)
"""Where the goal lies, in m: within reach."""
SPEED = 4.0
"""Standard deviation of velocities before the first step, in rad/s."""
SMALLEST = 16


@dataclass(frozen=True, kw_only=True)
class Reacher:
    """A planar arm with two links of 0.1 m, moved by torques at shoulder and elbow for 0.1 s a step, in MuJoCo.

    Without gravity and contacts the dynamics have the whole symmetry O(2) of the plane: a turn adds to the angle of the
    shoulder and leaves torques alone, a flip changes the sign of angles, velocities and torques. A state is seen as two
    pictures, a step apart, so that velocities can be told. The goal is drawn at a fixed place and matters to no
    dynamics; it does not turn with the arm, so that pixels do not quite turn even without tilt.

    Args:
        tilt: of the camera from straight above in degrees, 0 to 80.
        size: of pictures in pixels, a multiple of 8.
        goal: its place in m; None draws none.

    Raises:
        ValueError: for numbers out of range.

    Reference: the environment of Park, Biza, Zhao, van de Meent, Walters (2022), arXiv 2204.11371, in a model of our
    own; physics and pictures by MuJoCo (Todorov, Erez, Tassa 2012), which the extra `sim` brings.

    Example:
        >>> world = ls.data.worlds.Reacher()
        >>> world.actions(3, torch.Generator()).shape
        torch.Size([3, 2])
    """

    tilt: float = 45.0
    size: int = 32
    goal: tuple[float, float] | None = GOAL

    def __post_init__(self) -> None:
        if not 0.0 <= self.tilt <= 80.0:
            raise ValueError(f"tilt: got {self.tilt}, must be within [0, 80] degrees; 0 looks straight down")
        if self.size < SMALLEST or self.size % 8:
            raise ValueError(f"size: got {self.size}, must be a multiple of 8 pixels from {SMALLEST}; take 32")
        if self.goal is not None and not math.hypot(*self.goal) <= 2 * arm.LINK:
            raise ValueError(f"goal: got {self.goal}, must be within reach, {2 * arm.LINK} m from 0; {GOAL} is usual")

    def states(self, n: int, random: torch.Generator) -> Float[Tensor, "N 3 2"]:
        """States of shoulder and elbow, float64: angles in rad, velocities in rad/s, and the angles a step before.

        Uniform angles and normal velocities, then a step without torques.
        """
        angles = (2 * torch.rand(n, 2, dtype=torch.float64, generator=random) - 1) * math.pi
        velocities = SPEED * torch.randn(n, 2, dtype=torch.float64, generator=random)
        state = torch.stack([angles, velocities, angles], 1)
        return self.step(state, torch.zeros(n, 2))

    def actions(
        self, n: int, random: torch.Generator, elbow: tuple[float, float] = (-1.0, 1.0)
    ) -> Float[Tensor, "N 2"]:
        """Uniform torques of shoulder and elbow, those of the shoulder in [-1, 1].

        Raises:
            ValueError: for a range of the elbow's that is empty or beyond.
        """
        low, high = elbow
        if not -1.0 <= low < high <= 1.0:
            raise ValueError(f"elbow: got {elbow}, must be a range within [-1, 1]; (0, 1) has one sign alone")
        share = torch.rand(n, 2, generator=random)
        return torch.stack([2 * share[:, 0] - 1, low + (high - low) * share[:, 1]], 1)

    def step(self, state: Float[Tensor, "N 3 2"], action: Float[Tensor, "*action"]) -> Float[Tensor, "N 3 2"]:
        """The next state.

        Raises:
            ValueError: for torques that are not two for each state in [-1, 1], or when MuJoCo is missing.
        """
        if action.shape != (len(state), 2) or not (action.abs() <= 1).all():
            raise ValueError(
                f"action: got shape {tuple(action.shape)} for {len(state)} states, must be two torques each within "
                "[-1, 1]; scale or clip them"
            )
        angles, velocities = arm.simulate(state[:, 0], state[:, 1], action)
        return torch.stack([angles, velocities, state[:, 0]], 1)

    def pictures(self, state: Float[Tensor, "N 3 2"]) -> UInt8[Tensor, "N 6 H W"]:
        """The pictures a step before and now, three colours each.

        Raises:
            ValueError: when MuJoCo or a way to draw is missing.
        """
        both = state[:, [2, 0]].flatten(0, 1)
        return arm.pictures(both, self.size, self.tilt, self.goal).unflatten(0, (-1, 2)).flatten(1, 2)

    def moved(self, state: Float[Tensor, "N 3 2"], g: Float[Tensor, "N 2 2"]) -> Float[Tensor, "N 3 2"]:
        """The arm moved by turns and flips of the plane; the goal stays."""
        handed = torch.linalg.det(g.to(state))[:, None, None] * state
        # the direction of the upper arm: u -> g u
        u = torch.stack([state[..., 0].cos(), state[..., 0].sin()], -1)
        u = torch.einsum("nij,ntj->nti", g.to(state), u)
        shoulder = torch.atan2(u[..., 1], u[..., 0])
        angles = torch.stack([shoulder, handed[..., 1]], -1)
        return torch.stack([angles[:, 0], handed[:, 1], angles[:, 2]], 1)

    def transitions(self, n: int, elbow: tuple[float, float] = (-1.0, 1.0), seed: int = 0) -> Dataset:
        """Independent transitions; the targets are the next states `(N, 1, 6)`.

        Args:
            n: number of transitions.
            elbow: range of its torques.
            seed: determines states and actions.

        Raises:
            ValueError: for no transitions, a range beyond [-1, 1], or when MuJoCo or a way to draw is missing.
        """
        r = self.rollouts(n, 1, elbow, seed)
        x = {"before": r.before, "action": r.actions[:, 0], "after": r.after}
        variant = f"torques of the elbow in {list(elbow)}" if tuple(elbow) != (-1.0, 1.0) else ""
        return Dataset(x, r.state, "reacher", variant=variant, moves="before")

    def rollouts(self, n: int, steps: int, elbow: tuple[float, float] = (-1.0, 1.0), seed: int = 0) -> Rollouts:
        """Several actions in a row.

        Raises:
            ValueError: for numbers below 1, and see `transitions`.
        """
        if n < 1 or steps < 1:
            raise ValueError(f"n, steps: got {n}, {steps}, must be at least 1")
        random = generator(seed, 37)
        actions = torch.stack([self.actions(n, random, elbow) for _ in range(steps)], 1)
        first = state = self.states(n, random)
        for action in actions.unbind(1):
            state = self.step(state, action)
        return Rollouts(self.pictures(first), actions, self.pictures(state), state.flatten(1)[:, None].float())
