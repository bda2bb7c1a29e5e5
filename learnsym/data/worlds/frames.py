"""A frame that is turned in space, seen as a random picture of a few numbers.

Legend of axes: `N` transitions, `P` numbers of a picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.seeding import generator
from learnsym.groups import SO3

SMALL = 2 * math.pi / 30
"""Angle of small turns."""


@dataclass(frozen=True, kw_only=True)
class FrameWorld:
    """A frame `R` of SO(3) that actions turn, `R' = a R`, seen as `A vec(R) + tanh(B vec(R))` with fixed matrices.

    The picture of a turned frame is no simple function of the picture of the frame, as with a photograph of a solid.

    Args:
        turns: `any`, uniform rotations; or `small`, turns by 12 degrees about one of three axes, either way.
        size: `P`, numbers of a picture.

    Raises:
        ValueError: for fewer than 9 numbers, of which the frame could not be read.

    Reference: stands in for the teapots of Park, Biza, Zhao, van de Meent, Walters (2022), arXiv 2204.11371.

    Example:
        >>> transitions = ls.data.worlds.FrameWorld().transitions(5)
        >>> {key: tuple(part.shape) for key, part in transitions.x.items()}
        {'before': (5, 64), 'action': (5, 9), 'after': (5, 64)}
    """

    turns: str = "any"
    size: int = 64

    def __post_init__(self) -> None:
        if self.turns not in ("any", "small"):
            raise ValueError(f"turns: got {self.turns!r}, must be any or small")
        if self.size < 9:
            raise ValueError(f"size: got {self.size}, must be at least 9, the numbers of a frame")

    def pictures(self, frames: Float[Tensor, "N 3 3"]) -> Float[Tensor, "N P"]:
        """What is seen of frames."""
        random = generator(0, 29, self.size)
        a, b = torch.randn(2, self.size, 9, generator=random).to(frames)
        r = frames.flatten(1)
        return r @ a.T / 3 + torch.tanh(r @ b.T)

    def actions(self, n: int, random: torch.Generator) -> Float[Tensor, "N 3 3"]:
        """Random rotations."""
        if self.turns == "any":
            return SO3().haar(n, generator=random)
        return small_turns()[torch.randint(6, (n,), generator=random)]

    def transitions(self, n: int, seed: int = 0) -> Dataset:
        """Independent transitions from uniform frames; targets are the next frames `(N, 1, 9)`.

        Raises:
            ValueError: for no transitions.
        """
        if n < 1:
            raise ValueError(f"n: got {n}, must be at least 1")
        random = generator(seed, 31)
        frames, actions = SO3().haar(n, generator=random), self.actions(n, random)
        after = actions @ frames
        x = {"before": self.pictures(frames), "action": actions.flatten(1), "after": self.pictures(after)}
        return Dataset(x, after.flatten(1)[:, None], "turned frames", variant=f"{self.turns} turns", moves="before")


def small_turns() -> Float[Tensor, "6 3 3"]:
    """Turns by 12 degrees about the axes, either way."""
    return SO3().exp(SMALL * torch.cat([torch.eye(3), -torch.eye(3)]))
