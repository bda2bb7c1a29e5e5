"""BodyFrames: bodies as tokens.

Legend of axes: `B` scenes, `N` bodies, `F` numbers per body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.rigid_bodies.scenes import Poses, Scenes
from learnsym.data.rigid_bodies.tokens import (
    TRAITS,
    Tokens,
    as_tensor,
    frame_of,
    read_traits,
    spin_of,
    traits,
    turned,
)
from learnsym.data.rigid_bodies.world import World


@dataclass(frozen=True)
class BodyFrames(Tokens):
    """One token for each body, with its half axes as vectors: six times fewer tokens than its surface points.

    Vectors are the velocity, three half axes `a_i` and their rates of change; scalars the logarithms of mass and half
    lengths, and the shape as 0 and 1. Predicted are the future centre and half axes. With `Δ` for their errors, the
    mean squared error of the six points `p ± a_i` is `(|Δp|² + (|Δa_1|² + |Δa_2|² + |Δa_3|²) / 3) / 3` per coordinate.

    Example:
        >>> tokens = ls.data.rigid_bodies.BodyFrames()
        >>> tokens.on_input(bodies=4), tokens.on_output
        (PointCloud(vectors=7, scalars=9, dim=3), PointCloud(vectors=3, scalars=0, dim=3))
    """

    def on_input(self, bodies: int) -> PointCloud:
        """Position; velocity, half axes and their rates; traits."""
        return PointCloud(vectors=7, scalars=TRAITS)

    @property
    def on_output(self) -> PointCloud:
        """Position and half axes."""
        return PointCloud(vectors=3)

    def encode(self, scenes: Scenes, world: World) -> Float[Tensor, "B M F"]:
        """Clouds, float64."""
        axes = turned(scenes.frame, _own(scenes.half_lengths))
        rates = np.cross(scenes.spin[..., None, :], axes)
        vectors = np.concatenate([scenes.velocity[..., None, :], axes, rates], -2)
        flat = vectors.reshape(*scenes.kind.shape, -1)
        return as_tensor(np.concatenate([scenes.position, flat, traits(scenes)], -1))

    def decode(self, x: Float[Tensor, "B M F"], bodies: int) -> Scenes:
        """The scenes that clouds mean."""
        position, velocity, axes, rates, scalars = np.split(x.double().numpy(), [3, 6, 15, 24], -1)
        kind, half_lengths = read_traits(scalars)
        axes, rates = (part.reshape(len(x), bodies, 3, 3) for part in (axes, rates))
        return Scenes(
            kind=kind,
            half_lengths=half_lengths,
            position=position,
            frame=frame_of(axes, _own(half_lengths)),
            velocity=velocity,
            spin=spin_of(axes, rates),
        )

    def targets(self, scenes: Scenes, future: Poses) -> Float[Tensor, "B M F"]:
        """Centres and half axes."""
        axes = turned(future.frame, _own(scenes.half_lengths))
        return as_tensor(np.concatenate([future.position, axes.reshape(*scenes.kind.shape, 9)], -1))


def _own(half_lengths: Float[np.ndarray, "B N 3"]) -> Float[np.ndarray, "B N 3 3"]:
    return half_lengths[..., None, :] * np.eye(3)
