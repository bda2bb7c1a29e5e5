"""Throws: the law of initial scenes.

Legend of axes: `N` bodies.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from learnsym.data.rigid_bodies.scenes import Scenes
from learnsym.data.rigid_bodies.shapes import SHAPES, half_lengths, reach
from learnsym.data.rigid_bodies.world import World

SIZES = (0.15, 0.35)
"""Half lengths in metres, log-uniform."""
SPIN = 1.5
"""Standard deviation of each component of the angular velocity in rad/s."""
SPEEDS_FREE, SPEEDS_FLOOR = (1.5, 2.5), (0.5, 2.0)
"""Speeds in m/s."""
AIM_FREE, AIM_FLOOR = 0.2, 0.3
"""Standard deviation of the aim in metres: where a throw would pass near the common centre."""
SHELL = (0.8, 1.2)
"""Distances from the centre in metres, of four bodies; more need more room."""
WIDTH, HEIGHTS, CENTRE = 0.9, (0.3, 1.5), 0.5
"""Over a floor: radius and heights of the cylinder of positions, and height of the common centre."""
TRIES = 10_000


def throw(world: World, bodies: int, random: np.random.Generator) -> Scenes:
    """One scene: bodies apart from each other and from the floor, thrown towards a common centre.

    Without a floor its law is invariant under all rotations and reflections about the origin, over one under those
    about the vertical. Shapes and places are drawn anew as a whole until nothing touches, so that bodies are
    exchangeable; where they are crowded, small ones are more frequent.

    Raises:
        ValueError: when bodies do not fit.
    """
    kind, h, position = _apart(world, bodies, random)
    aim = (AIM_FLOOR if world.floor else AIM_FREE) * random.standard_normal((bodies, 3))
    way = aim + np.array([0.0, 0.0, CENTRE * world.floor]) - position
    speed = random.uniform(*(SPEEDS_FLOOR if world.floor else SPEEDS_FREE), (bodies, 1))
    return Scenes(
        kind=kind,
        half_lengths=h,
        position=position,
        frame=_frames(bodies, random),
        velocity=speed * way / np.linalg.norm(way, axis=-1, keepdims=True),
        spin=SPIN * random.standard_normal((bodies, 3)),
    )


def _apart(
    world: World, bodies: int, random: np.random.Generator
) -> tuple[Int[np.ndarray, "N"], Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Kinds, half lengths and places of bodies that do not touch."""
    room = max(1.0, bodies / 4) ** (1 / 3)
    for _ in range(TRIES):
        kind = random.integers(len(SHAPES), size=bodies)
        h = half_lengths(kind, np.exp(random.uniform(np.log(SIZES[0]), np.log(SIZES[1]), (bodies, 3))))
        position = _over_floor(bodies, room, random) if world.floor else _around(bodies, room, random)
        if _is_free(world, position, reach(kind, h)):
            return kind, h, position
    raise ValueError(f"bodies: got {bodies}, which do not fit without touching; take fewer, 3 to 8 are usual")


def _is_free(world: World, position: Float[np.ndarray, "N 3"], radius: Float[np.ndarray, "N"]) -> bool:
    """Whether the balls around the bodies touch neither each other nor the floor."""
    if world.floor and (position[:, 2] < radius).any():
        return False
    distance = np.linalg.norm(position[:, None] - position, axis=-1)
    return int((distance < radius[:, None] + radius).sum()) == len(radius)  # each touches itself


def _around(bodies: int, room: float, random: np.random.Generator) -> Float[np.ndarray, "N 3"]:
    way = random.standard_normal((bodies, 3))
    distance = room * random.uniform(*SHELL, (bodies, 1))
    return distance * way / np.linalg.norm(way, axis=-1, keepdims=True)


def _over_floor(bodies: int, room: float, random: np.random.Generator) -> Float[np.ndarray, "N 3"]:
    # a disc, for a square would prefer its axes
    radius = room * WIDTH * np.sqrt(random.uniform(size=bodies))
    angle = random.uniform(0.0, 2 * np.pi, bodies)
    height = random.uniform(HEIGHTS[0], room * HEIGHTS[1], bodies)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], -1)


def _frames(bodies: int, random: np.random.Generator) -> Float[np.ndarray, "N 3 3"]:
    """Frames drawn from the Haar measure of O(3): the signs of `R` make the factor `Q` unique."""
    q, r = np.linalg.qr(random.standard_normal((bodies, 3, 3)))
    return q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[:, None]
