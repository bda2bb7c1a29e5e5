"""World: what surrounds the bodies, a floor or none, and gravity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

GRAVITY = 9.81
"""In m/s²."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A uniform gravity, and the floor `z = 0` or none.

    Args:
        gravity: acceleration in m/s².
        floor: whether there is a floor.

    Raises:
        ValueError: for gravity that is not finite, or that does not point down to a floor.

    Example:
        >>> ls.data.rigid_bodies.World().name, ls.data.rigid_bodies.over_floor(tilt=20.0).name
        ('free', 'tilted')
    """

    gravity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    floor: bool = False

    def __post_init__(self) -> None:
        if not all(math.isfinite(g) for g in self.gravity) or (self.floor and self.gravity[2] >= 0):
            raise ValueError(
                f"gravity: got {self.gravity}, must be finite and, over a floor, point down; (0, 0, -9.81) is usual"
            )

    @property
    def name(self) -> str:
        """`free`, `falling` (gravity without a floor), `floor` or `tilted`."""
        if not self.floor:
            return "falling" if any(self.gravity) else "free"
        return "tilted" if any(self.gravity[:2]) else "floor"


def over_floor(tilt: float = 0.0, axis: Sequence[float | int] = (1, 0, 0)) -> World:
    """A floor, with gravity turned from its normal by an angle about an axis: a slope, seen from the slope.

    Args:
        tilt: angle in degrees, in (-90, 90).
        axis: direction of the axis, horizontal.

    Raises:
        ValueError: for an angle out of range or an axis that is not horizontal.

    Example:
        >>> [round(g, 2) for g in ls.data.rigid_bodies.over_floor(tilt=30.0).gravity]
        [0.0, 4.9, -8.5]
    """
    if not -90 < tilt < 90:
        raise ValueError(f"tilt: got {tilt}, must lie in (-90, 90) degrees, so that gravity points to the floor")
    x, y, z = (float(value) for value in axis)
    length = math.hypot(x, y)
    if z != 0 or not 0 < length < math.inf:
        raise ValueError(f"axis: got {tuple(axis)}, must be horizontal and not 0; such as (1, 0, 0)")
    across = GRAVITY * math.sin(math.radians(tilt)) / length
    return World(gravity=(0.0 - y * across, x * across, -GRAVITY * math.cos(math.radians(tilt))), floor=True)
