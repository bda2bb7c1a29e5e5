"""Rigid bodies as data sets that can be loaded by name."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from learnsym.data.dataset import Dataset
from learnsym.data.rigid_bodies.body_frames import BodyFrames
from learnsym.data.rigid_bodies.certificate import certificate_of
from learnsym.data.rigid_bodies.engine import is_installed
from learnsym.data.rigid_bodies.surface_points import SurfacePoints
from learnsym.data.rigid_bodies.system import RigidBodies
from learnsym.data.rigid_bodies.with_surroundings import WithSurroundings
from learnsym.data.rigid_bodies.world import World, over_floor
from learnsym.data.source import Sizes, Source
from learnsym.data.unsized import unsized

TILT = 20.0
"""How far the floor is tilted against gravity, in degrees."""


def _read(name: str, system: RigidBodies, sizes: Sizes, seed: int) -> dict[str, Dataset]:
    """Splits with seeds of their own: none depends on how many examples another has."""
    streams = zip(("train", "val", "test"), sizes, range(3 * seed, 3 * seed + 3), strict=True)
    splits = {split: replace(system.dataset(count, stream), name=name) for split, count, stream in streams}
    if is_installed():  # the first reader measures it
        certificate_of(system)
    return splits


def _source(kind: str, title: str, system: RigidBodies) -> Source:
    name = f"rigid-{kind}"
    return Source(
        name=name,
        title=f"Simulated: 4 bodies that collide, {title}",
        licence="MIT (drawn by learnsym, with MuJoCo)",
        sizes=Sizes(10_000, 1000, 2000),
        read=partial(_read, name, system),
        resize=unsized,
    )


def _points(name: str, where: str, world: World) -> Source:
    return _source(name, f"{where}; 24 points of surfaces", RigidBodies(world=world))


def _bodies(name: str, where: str, world: World) -> Source:
    return _source(f"{name}-bodies", f"{where}; bodies as tokens", RigidBodies(world=world, tokens=BodyFrames()))


def _known(name: str, where: str, world: World) -> tuple[Source, Source]:
    """Tokens that carry gravity and floor."""
    points, bodies = WithSurroundings(SurfacePoints()), WithSurroundings(BodyFrames())
    return (
        _source(f"{name}-known", f"{where} that 24 points know of", RigidBodies(world=world, tokens=points)),
        _source(f"{name}-bodies-known", f"{where} that bodies know of", RigidBodies(world=world, tokens=bodies)),
    )


WORLDS = (
    ("free", "in free space", World()),
    ("floor", "over a floor", over_floor()),
    ("tilted", f"over a slope of {TILT:g}°", over_floor(TILT)),
)

SOURCES: tuple[Source, ...] = (
    *(_points(*world) for world in WORLDS),
    *(_bodies(*world) for world in WORLDS),
    *(source for world in WORLDS[1:] for source in _known(*world)),
)
"""For the registry."""
