"""Orientations: in which directions the orbital planes of a gravity data set lie.

Legend of axes: `B` examples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import SO3


@runtime_checkable
class Orientation(Protocol):
    """A law of rotations."""

    def draw(self, count: int, generator: torch.Generator) -> Float[Tensor, "B 3 3"]:
        """`count` independent rotations, float64."""
        ...


@dataclass(frozen=True)
class AnyOrientation:
    """The Haar measure: data cover every orientation alike."""

    def draw(self, count: int, generator: torch.Generator) -> Float[Tensor, "B 3 3"]:
        """`count` independent rotations, float64."""
        return SO3().haar(count, dtype=torch.float64, generator=generator)


@dataclass(frozen=True)
class TurnedBy:
    """Rotations by an angle in [-high, -low] or [low, high] about a uniformly random axis.

    Within ±10° for training and beyond ±90° for testing in Elhag, Rusch, Di Giovanni, Bronstein, "Relaxed equivariance
    via multitask learning" (2024), arXiv 2410.17878; the law of the axis is our choice.

    Args:
        low: smallest angle in degrees.
        high: largest angle in degrees, at most 180.

    Example:
        >>> g = ls.data.dynamics.TurnedBy(90.0, 180.0).draw(8, torch.Generator().manual_seed(0))
        >>> angle = ls.groups.SO3().log(g).norm(dim=-1).rad2deg()
        >>> bool((angle >= 90).all())
        True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 180:
            raise ValueError(f"low, high: got {self.low}, {self.high}, must be 0 <= low <= high <= 180 degrees")

    def draw(self, count: int, generator: torch.Generator) -> Float[Tensor, "B 3 3"]:
        """`count` independent rotations, float64."""
        axis = torch.randn(count, 3, dtype=torch.float64, generator=generator)
        u = torch.rand(count, 1, dtype=torch.float64, generator=generator)
        angle = math.radians(self.low) + math.radians(self.high - self.low) * u
        return SO3().exp(angle * axis / axis.norm(dim=-1, keepdim=True))
