"""Scenes: bodies in space at one instant, and how they are moved.

Legend of axes: `N` bodies, of any batch `*B` of scenes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Scenes(NamedTuple):
    """Shapes, poses and velocities of bodies, in metres and seconds.

    The columns of a frame are the axes of a body; a left-handed frame is as good as a right-handed one, for all shapes
    are symmetric under inversion.
    """

    kind: Int[np.ndarray, "*B N"]
    """Index in `SHAPES`."""
    half_lengths: Float[np.ndarray, "*B N 3"]
    position: Float[np.ndarray, "*B N 3"]
    frame: Float[np.ndarray, "*B N 3 3"]
    velocity: Float[np.ndarray, "*B N 3"]
    spin: Float[np.ndarray, "*B N 3"]
    """Angular velocity in rad/s, an axial vector."""

    def at(self, index: int | slice) -> Scenes:
        """One scene of a batch, or some."""
        return Scenes(*(part[index] for part in self))


class Poses(NamedTuple):
    """Where bodies are."""

    position: Float[np.ndarray, "*B N 3"]
    frame: Float[np.ndarray, "*B N 3 3"]


class Surroundings(NamedTuple):
    """Gravity in m/s², and the floor as `(n, d)`: the points with `n·p = d`, `n` of length 1; NaN without a floor."""

    gravity: Float[np.ndarray, "*B 3"]
    plane: Float[np.ndarray, "*B 4"]

    def at(self, index: int) -> Surroundings:
        """Those of one scene of a batch."""
        return Surroundings(self.gravity[index], self.plane[index])


def stack(parts: list[Scenes]) -> Scenes:
    """Single scenes as a batch."""
    return Scenes(*(np.stack(part) for part in zip(*parts, strict=True)))


def stack_poses(parts: list[Poses]) -> Poses:
    """Poses of single scenes as a batch."""
    return Poses(*(np.stack(part) for part in zip(*parts, strict=True)))
