"""Shapes of bodies, each by the half lengths `(a, b, c)` of its bounding box in its own frame.

All are symmetric under the inversion `p -> -p`, so that the mirror image of a body is the body itself, turned.

Legend of axes: `N` bodies, of any batch `*B` of scenes; `P` points.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int

SHAPES = ("sphere", "box", "capsule", "cylinder", "ellipsoid")
"""Capsules and cylinders lie along their own third axis."""
SPHERE, BOX, CAPSULE, CYLINDER, ELLIPSOID = range(5)

Kinds = Int[np.ndarray, "*B"]
Lengths = Float[np.ndarray, "*B 3"]


def half_lengths(kind: Kinds, free: Lengths) -> Lengths:
    """Half lengths from three free ones: those of a sphere are equal, a capsule is longer than wide."""
    a, b, c = np.moveaxis(free, -1, 0)
    second = np.where(np.isin(kind, (BOX, ELLIPSOID)), b, a)
    third = np.choose(kind, (a, c, a + b, b, c))
    return np.stack([a, second, third], -1)


def volume(kind: Kinds, h: Lengths) -> Float[np.ndarray, "*B"]:
    """The volume in cubic metres, for half lengths `h` in metres."""
    a, b, c = np.moveaxis(h, -1, 0)
    ball = 4 / 3 * math.pi * a * b * c
    capsule = 2 * math.pi * a * a * (c - a) + 4 / 3 * math.pi * a**3
    return np.choose(kind, (ball, 8 * a * b * c, capsule, 2 * math.pi * a * a * c, ball))


def reach(kind: Kinds, h: Lengths) -> Float[np.ndarray, "*B"]:
    """Largest distance of a point of the body from its centre."""
    a, c, longest = h[..., 0], h[..., 2], h.max(-1)
    return np.choose(kind, (a, np.linalg.norm(h, axis=-1), c, np.hypot(a, c), longest))


def size_of(kind: int, h: Float[np.ndarray, "3"]) -> tuple[float, ...]:
    """The numbers by which MuJoCo knows a body of these half lengths."""
    a, b, c = h.tolist()
    return ((a,), (a, b, c), (a, c - a), (a, c), (a, b, c))[kind]


def axis_points(h: Lengths) -> Float[np.ndarray, "*B 6 3"]:
    """Where the three axes of the own frame leave the body: on the surface of every shape."""
    ends = h[..., None, :] * np.eye(3)
    return np.concatenate([ends, -ends], -2)


def corner_points(kind: Kinds, h: Lengths) -> Float[np.ndarray, "*B 8 3"]:
    """Corners of boxes, and points of the surfaces of other shapes between their axes."""
    signs = np.stack(np.meshgrid(*[(1.0, -1.0)] * 3, indexing="ij"), -1).reshape(8, 3)
    round_, flat = 3**-0.5, 2**-0.5
    across = np.choose(kind, (round_, 1.0, flat, flat, round_))
    along = np.choose(kind, (round_, 1.0, 1.0 - h[..., 0] / h[..., 2], 1.0, round_))
    return signs * (h * np.stack([across, across, along], -1))[..., None, :]
