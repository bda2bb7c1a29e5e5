"""Objects that are pushed on a grid: a world whose actions are moved by quarter turns in a known way.

Legend of axes: `N` transitions, `K` objects, `T` steps, `A` numbers of an action, `H`, `W` pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.seeding import generator
from learnsym.data.worlds.views import COLOURS, Shapes, View, check_size

DIRECTIONS = ("right", "up", "left", "down")
"""In the order of the elements of C_4: a quarter turn moves each to the next."""
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


class Rollouts(NamedTuple):
    """Pictures before and after several actions."""

    before: UInt8[Tensor, "N 3 H W"]
    actions: Float[Tensor, "N T A"]
    after: UInt8[Tensor, "N 3 H W"]
    state: Float[Tensor, "N K 2"]
    """Afterwards."""


@dataclass(frozen=True, kw_only=True)
class GridWorld:
    """`K` objects on a square grid, of which each action pushes one by a cell; pushes into others or walls do nothing.

    Actions are one number for each object and direction, all 0 but one: for each object a regular representation of
    C_4. Turning state and action by a quarter turns the next state: the dynamics are exactly equivariant unless a
    direction is `stuck`. Whether pictures turn, too, is another question, see `views`.

    Args:
        view: how pictures are drawn.
        objects: `K`, 1 to 6.
        cells: of the grid along an axis.
        size: of pictures in pixels.
        stuck: directions in which pushes do nothing, which breaks the symmetry of the dynamics.

    Raises:
        ValueError: for numbers that do not fit each other.

    Reference: the environments of Kipf, van der Pol, Welling, "Contrastive learning of structured world models" (2020),
    arXiv 1911.12247, in the use of Park, Biza, Zhao, van de Meent, Walters (2022), arXiv 2204.11371; drawings are ours.

    Example:
        >>> world = ls.data.worlds.GridWorld(objects=3)
        >>> transitions = world.transitions(4)
        >>> {key: tuple(part.shape) for key, part in transitions.x.items()}
        {'before': (4, 3, 32, 32), 'action': (4, 12), 'after': (4, 3, 32, 32)}
    """

    view: View = field(default_factory=Shapes)
    objects: int = 5
    cells: int = 5
    size: int = 32
    stuck: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.objects <= len(COLOURS):
            raise ValueError(f"objects: got {self.objects}, must be 1 to {len(COLOURS)}, each of a colour of its own")
        if self.objects >= self.cells**2:
            raise ValueError(
                f"cells: got {self.cells} along an axis for {self.objects} objects, which leaves none to push them to; "
                "take more"
            )
        check_size(self.cells, self.size)
        for name in self.stuck:
            _numbers("stuck", [name])

    def states(self, n: int, random: torch.Generator) -> Int[Tensor, "N K 2"]:
        """Uniform states: column from the left and row from the bottom of each object, no two on one cell."""
        chosen = torch.rand(n, self.cells**2, generator=random).argsort(1)[:, : self.objects]
        return torch.stack([chosen % self.cells, chosen // self.cells], -1)

    def actions(self, n: int, random: torch.Generator, directions: Sequence[str] = DIRECTIONS) -> Float[Tensor, "N A"]:
        """Uniform actions: a push of a random object in one of the directions.

        Raises:
            ValueError: for a direction that there is not.
        """
        numbers = torch.tensor(_numbers("directions", directions))
        chosen = numbers[torch.randint(len(numbers), (n,), generator=random)]
        which = torch.randint(self.objects, (n,), generator=random)
        return torch.nn.functional.one_hot(4 * which + chosen, 4 * self.objects).float()

    def step(self, state: Int[Tensor, "N K 2"], action: Float[Tensor, "N A"]) -> Int[Tensor, "N K 2"]:
        """The next state.

        Raises:
            ValueError: for an action that is not one push, or none, of these objects.
        """
        if action.shape[1:] != (4 * self.objects,):
            raise ValueError(
                f"action: got shape {tuple(action.shape)}, must be (N, {4 * self.objects}), four directions for each "
                f"of {self.objects} objects"
            )
        if not (((action == 0) | (action == 1)).all() and (action.sum(1) <= 1).all()):
            raise ValueError("action: has other values than 0 and a single 1; name one object and direction a row")
        free = torch.tensor([float(name not in self.stuck) for name in DIRECTIONS])
        push = (action.unflatten(1, (self.objects, 4)) * free) @ torch.tensor(STEPS, dtype=action.dtype)
        moved = state + push.to(state)
        inside = ((moved >= 0) & (moved < self.cells)).all(-1)
        # one object moves, so that two on one cell are that one and the one in its way
        same = (moved[:, :, None] == moved[:, None]).all(-1) & ~torch.eye(self.objects, dtype=torch.bool)
        return torch.where((inside.all(1) & ~same.any((1, 2)))[:, None, None], moved, state)

    def pictures(self, state: Int[Tensor, "N K 2"]) -> UInt8[Tensor, "N 3 H W"]:
        """What is seen of states."""
        return self.view.pictures(state, self.cells, self.size)

    def turned(self, state: Int[Tensor, "N K 2"], quarters: int) -> Int[Tensor, "N K 2"]:
        """The scene turned counter-clockwise by quarter turns."""
        for _ in range(quarters % 4):
            state = torch.stack([self.cells - 1 - state[..., 1], state[..., 0]], -1)
        return state

    def transitions(self, n: int, directions: Sequence[str] = DIRECTIONS, seed: int = 0) -> Dataset:
        """Independent transitions from uniform states.

        Args:
            n: number of transitions.
            directions: of the pushes that occur.
            seed: determines states and actions.

        Returns:
            Inputs `before`, `action` and `after`; the targets are the next states, of which losses and measures see
            only whether two are equal.

        Raises:
            ValueError: for no transitions, or a direction that there is not.
        """
        rollouts = self.rollouts(n, 1, directions, seed)
        x = {"before": rollouts.before, "action": rollouts.actions[:, 0], "after": rollouts.after}
        variant = f"pushes {', '.join(directions)}" if tuple(directions) != DIRECTIONS else ""
        return Dataset(x, rollouts.state, "pushed objects", variant=variant, moves="before")

    def rollouts(self, n: int, steps: int, directions: Sequence[str] = DIRECTIONS, seed: int = 0) -> Rollouts:
        """Several actions in a row, from uniform states.

        Raises:
            ValueError: for numbers below 1, or a direction that there is not.
        """
        if n < 1 or steps < 1:
            raise ValueError(f"n, steps: got {n}, {steps}, must be at least 1")
        random = generator(seed, 23)
        first = state = self.states(n, random)
        actions = [self.actions(n, random, directions) for _ in range(steps)]
        for action in actions:
            state = self.step(state, action)
        return Rollouts(self.pictures(first), torch.stack(actions, 1), self.pictures(state), state.float())


def _numbers(argument: str, directions: Sequence[str]) -> list[int]:
    """Directions by number."""
    unknown = [name for name in directions if name not in DIRECTIONS]
    if unknown or not directions:
        raise ValueError(f"{argument}: got {list(directions)}, must be one or more of {', '.join(DIRECTIONS)}")
    return [DIRECTIONS.index(name) for name in directions]
