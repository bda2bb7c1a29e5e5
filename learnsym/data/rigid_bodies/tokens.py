"""Tokens: what networks see of a scene, and back.

Legend of axes: `B` scenes, `N` bodies, `M` tokens, `F` numbers per token, `P` arrows of a body.
"""

from __future__ import annotations

import abc

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.rigid_bodies.scenes import Poses, Scenes, Surroundings
from learnsym.data.rigid_bodies.shapes import SHAPES, volume
from learnsym.data.rigid_bodies.throws import SIZES
from learnsym.data.rigid_bodies.world import World

MIDDLE = (SIZES[0] * SIZES[1]) ** 0.5
"""Half length in metres whose logarithm is 0 in the scalars of a token."""
TRAITS = 4 + len(SHAPES)
"""Scalars of a body."""


class Tokens(abc.ABC):
    """A layout of scenes as clouds; `decode` undoes `encode`."""

    @abc.abstractmethod
    def on_input(self, bodies: int) -> PointCloud:
        """What a token carries."""

    @property
    @abc.abstractmethod
    def on_output(self) -> PointCloud:
        """What is predicted of a token."""

    @abc.abstractmethod
    def encode(self, scenes: Scenes, world: World) -> Float[Tensor, "B M F"]:
        """Clouds, float64."""

    @abc.abstractmethod
    def decode(self, x: Float[Tensor, "B M F"], bodies: int) -> Scenes:
        """The scenes that clouds mean, moved ones too."""

    @abc.abstractmethod
    def targets(self, scenes: Scenes, future: Poses) -> Float[Tensor, "B M F"]:
        """What is to be predicted when bodies of `scenes` have come to `future`, float64."""

    def surroundings(self, x: Float[Tensor, "B M F"], world: World) -> Surroundings:
        """Gravity and floor of each cloud."""
        return surroundings_of(world, len(x))


def surroundings_of(world: World, count: int) -> Surroundings:
    """Those of the world, the same for `count` scenes."""
    plane = (0.0, 0.0, 1.0, 0.0) if world.floor else (np.nan,) * 4
    return Surroundings(np.tile(np.array(world.gravity), (count, 1)), np.tile(np.array(plane), (count, 1)))


def traits(scenes: Scenes) -> Float[np.ndarray, "B N S"]:
    """Scalars of bodies: logarithms of volume and half lengths (of a ball of `MIDDLE` radius 0), and the shape as 0, 1.

    Densities are equal, so that the logarithm of the volume is that of the mass up to a constant.
    """
    ball = volume(np.zeros(1, dtype=int), np.full((1, 3), MIDDLE))
    mass = np.log(volume(scenes.kind, scenes.half_lengths) / ball)
    return np.concatenate([mass[..., None], np.log(scenes.half_lengths / MIDDLE), np.eye(len(SHAPES))[scenes.kind]], -1)


def read_traits(
    scalars: Float[np.ndarray, "B N S"],
) -> tuple[Int[np.ndarray, "B N"], Float[np.ndarray, "B N 3"]]:
    """Kinds and half lengths of bodies, from their `traits`."""
    return scalars[..., 4:TRAITS].argmax(-1), MIDDLE * np.exp(scalars[..., 1:4])


def turned(frame: Float[np.ndarray, "B N 3 3"], own: Float[np.ndarray, "B N P 3"]) -> Float[np.ndarray, "B N P 3"]:
    """Arrows of the frame of a body, as arrows of space."""
    return np.einsum("bnij,bnpj->bnpi", frame, own)


def frame_of(arrows: Float[np.ndarray, "B N P 3"], own: Float[np.ndarray, "B N P 3"]) -> Float[np.ndarray, "B N 3 3"]:
    """The orthogonal matrix, left- or right-handed, that turns `own` into `arrows`: nearest to least squares."""
    moments = np.einsum("bnpi,bnpj->bnij", own, own)
    u, _, v = np.linalg.svd(np.einsum("bnpi,bnpj->bnij", arrows, own) @ np.linalg.inv(moments))
    return u @ v


def spin_of(arrows: Float[np.ndarray, "B N P 3"], rates: Float[np.ndarray, "B N P 3"]) -> Float[np.ndarray, "B N 3"]:
    """The angular velocity `ω` with `rates = ω × arrows`, by least squares."""
    squares = np.einsum("bnpi,bnpi->bn", arrows, arrows)[..., None, None]
    inertia = squares * np.eye(3) - np.einsum("bnpi,bnpj->bnij", arrows, arrows)
    return np.linalg.solve(inertia, np.cross(arrows, rates).sum(-2)[..., None])[..., 0]


def as_tensor(array: Float[np.ndarray, "B M F"]) -> Float[Tensor, "B M F"]:
    """The same numbers, float64."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))
