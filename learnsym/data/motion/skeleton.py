"""Skeleton: the bones of a moving body.

Legend of axes: `T` frames, `C` channels (numbers that a frame gives), `J` joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

Triple = tuple[float, float, float]
TRANSLATIONS = ("tx", "ty", "tz")
ROTATIONS = ("rx", "ry", "rz")
METRES_PER_INCH = 0.0254


@dataclass(frozen=True)
class Bone:
    """One bone, named as the joint at its far end; the root is a bone of its own."""

    name: str
    offset: Triple
    """From the parent's joint to this one in the resting pose, in units of the file."""
    axis: Triple
    """Angles of the frame in which the bone turns, in degrees."""
    order: str
    """Order in which the angles of `axis` are applied, such as `xyz`."""
    channels: tuple[str, ...]
    """What a frame says about this bone, in order; each is one of `tx ty tz rx ry rz`."""
    parent: int = -1
    """Index of the bone it hangs on; -1 for the root."""


@dataclass(frozen=True)
class Skeleton:
    """Bones that hang together, the root first.

    Example:
        >>> arm = ls.data.motion.Bone("arm", (0.0, 2.0, 0.0), (0.0, 0.0, 0.0), "xyz", ("rx",), parent=0)
        >>> root = ls.data.motion.Bone("root", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "xyz", ("tx", "ty", "tz"))
        >>> ls.data.motion.Skeleton((root, arm), length=0.45).columns["arm"]
        slice(3, 4, None)
    """

    bones: tuple[Bone, ...]
    length: float = 1.0
    """The `length` of the file: a length of the file divided by it is in inches."""

    @property
    def metres(self) -> float:
        """Metres per unit of length of the file."""
        return METRES_PER_INCH / self.length

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the joints."""
        return tuple(bone.name for bone in self.bones)

    @property
    def parents(self) -> tuple[int, ...]:
        """Index of the parent of each joint, -1 for the root."""
        return tuple(bone.parent for bone in self.bones)

    @cached_property
    def columns(self) -> dict[str, slice]:
        """Where the channels of each bone stand in a frame: bone by bone, in the order of the skeleton."""
        columns, start = {}, 0
        for bone in self.bones:
            columns[bone.name] = slice(start, start + len(bone.channels))
            start += len(bone.channels)
        return columns

    @property
    def channels(self) -> int:
        """Numbers per frame, `C`."""
        return sum(len(bone.channels) for bone in self.bones)

    @cached_property
    def downwards(self) -> tuple[int, ...]:
        """Indices of the bones, each after its parent."""
        reached = [0]
        for i in reached:
            reached.extend(j for j, parent in enumerate(self.parents) if parent == i)
        return tuple(reached)
