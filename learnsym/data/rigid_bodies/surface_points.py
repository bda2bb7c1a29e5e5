"""SurfacePoints: points of the surfaces of bodies as tokens.

Legend of axes: `B` scenes, `N` bodies, `P` points of a body, `M = N P` tokens, `F` numbers per token.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.rigid_bodies.scenes import Poses, Scenes
from learnsym.data.rigid_bodies.shapes import axis_points, corner_points
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
class SurfacePoints(Tokens):
    """`P` points of each body, fixed to it: their positions, and where they will be.

    Vectors are the velocity of the point and the arrow from the centre of its body to it; scalars the logarithms of
    mass and half lengths, the shape, and the number of the body, both as 0 and 1. Points come in opposite pairs `±b`,
    so that the points of a mirrored scene are the mirrored points, in another order.

    Args:
        points: `P`: 6 (ends of the axes of the body), 8 (corners) or 14 (both).

    Raises:
        ValueError: for another number.

    Example:
        >>> ls.data.rigid_bodies.SurfacePoints().on_input(bodies=4)
        PointCloud(vectors=2, scalars=13, dim=3)
    """

    points: int = 6

    def __post_init__(self) -> None:
        if self.points not in (6, 8, 14):
            raise ValueError(f"points: got {self.points}, must be 6 (axes), 8 (corners) or 14 (both)")

    def on_input(self, bodies: int) -> PointCloud:
        """Position; velocity and arrow from the centre; traits and number of the body."""
        return PointCloud(vectors=2, scalars=TRAITS + bodies)

    @property
    def on_output(self) -> PointCloud:
        """Position."""
        return PointCloud()

    def own(self, kind: Int[np.ndarray, "*B"], half_lengths: Float[np.ndarray, "*B 3"]) -> Float[np.ndarray, "*B P 3"]:
        """The points in the frame of their body."""
        axes, corners = axis_points(half_lengths), corner_points(kind, half_lengths)
        return {6: axes, 8: corners, 14: np.concatenate([axes, corners], -2)}[self.points]

    def encode(self, scenes: Scenes, world: World) -> Float[Tensor, "B M F"]:
        """Clouds, float64; the points of a body follow each other."""
        arrow = turned(scenes.frame, self.own(scenes.kind, scenes.half_lengths))
        velocity = scenes.velocity[..., None, :] + np.cross(scenes.spin[..., None, :], arrow)
        number = np.broadcast_to(np.eye(scenes.kind.shape[1]), (*scenes.kind.shape, scenes.kind.shape[1]))
        scalars = np.concatenate([traits(scenes), number], -1)[..., None, :]
        parts = [scenes.position[..., None, :] + arrow, velocity, arrow, np.repeat(scalars, self.points, -2)]
        return as_tensor(np.concatenate(parts, -1).reshape(len(arrow), -1, 9 + scalars.shape[-1]))

    def decode(self, x: Float[Tensor, "B M F"], bodies: int) -> Scenes:
        """The scenes that clouds mean, by least squares over the points of a body."""
        numbers = x.double().numpy().reshape(len(x), bodies, self.points, -1)
        position, velocity, arrow, scalars = np.split(numbers, [3, 6, 9], -1)
        kind, half_lengths = read_traits(scalars[:, :, 0])
        return Scenes(
            kind=kind,
            half_lengths=half_lengths,
            position=(position - arrow).mean(-2),
            frame=frame_of(arrow, self.own(kind, half_lengths)),
            velocity=velocity.mean(-2),  # opposite points turn in opposite ways
            spin=spin_of(arrow, velocity),
        )

    def targets(self, scenes: Scenes, future: Poses) -> Float[Tensor, "B M F"]:
        """Positions of the same points."""
        arrow = turned(future.frame, self.own(scenes.kind, scenes.half_lengths))
        return as_tensor((future.position[..., None, :] + arrow).reshape(len(arrow), -1, 3))
