"""Worlds as data sets by name: training and validation with all actions or some, tests with all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from learnsym.data.dataset import Dataset
from learnsym.data.source import Sizes, Source
from learnsym.data.worlds.grid import DIRECTIONS, GridWorld
from learnsym.data.worlds.reacher import Reacher
from learnsym.data.worlds.views import Blocks

OBJECTS = 3
PUSHES: dict[str, tuple[str, ...]] = {"": DIRECTIONS, "-no-left": ("right", "up", "down"), "-up": ("up",)}
TILTS = (0.0, 15.0, 30.0, 60.0)
ELBOW: dict[str, tuple[float, float]] = {"": (-1.0, 1.0), "-one-way": (0.0, 1.0)}
"""Torques of the elbow in training."""


def _read(transitions: Callable[..., Dataset], actions: Any, sizes: Sizes, seed: int) -> dict[str, Dataset]:  # noqa: ANN401
    return {
        "train": transitions(sizes.train + sizes.val, actions, seed=2 * seed),
        "test": transitions(sizes.test, seed=2 * seed + 1),
    }


def _resize(drawn_by: str, data: Dataset, size: int | None) -> Dataset:
    if size is not None and size != data.in_shape[-1]:
        raise ValueError(
            f"data.size: got {size} for {data.name}, drawn at {data.in_shape[-1]} pixels; leave it out, or draw "
            f"others by data.worlds.{drawn_by} in a FILE.py:function"
        )
    return data


def _source(name: str, what: str, world: GridWorld, directions: tuple[str, ...] = DIRECTIONS) -> Source:
    pushes = "" if directions == DIRECTIONS else f", trained on pushes {', '.join(directions)} alone"
    return Source(
        name=name,
        title=f"Simulated: {world.objects} {what} pushed on a grid{pushes}; transitions, 32x32",
        licence="MIT (drawn by learnsym)",
        sizes=Sizes(10000, 1000, 2000),
        read=partial(_read, world.transitions, directions),
        resize=partial(_resize, "GridWorld"),
    )


def _reacher(name: str, elbow: tuple[float, float]) -> Source:
    trained = ", trained on elbow torques of one sign alone" if elbow == ELBOW["-one-way"] else ""
    return Source(
        name=name,
        title=f"Simulated: an arm of two links moved by torques, seen at 45°{trained}; transitions, 32x32",
        licence="MIT (drawn by learnsym, with MuJoCo)",
        sizes=Sizes(4000, 500, 1000),
        read=partial(_read, Reacher().transitions, elbow),
        resize=partial(_resize, "Reacher"),
    )


_SHAPES, _BLOCKS = GridWorld(objects=OBJECTS), GridWorld(view=Blocks(), objects=OBJECTS)
SOURCES: tuple[Source, ...] = (
    *(_source(f"pushed-shapes{end}", "shapes", _SHAPES, pushes) for end, pushes in PUSHES.items()),
    *(_source(f"pushed-blocks{end}", "blocks", _BLOCKS, pushes) for end, pushes in PUSHES.items()),
    *(
        _source(f"pushed-blocks-tilt-{tilt:g}", f"blocks tilted by {tilt:g} degrees,", world)
        for tilt in TILTS
        for world in (GridWorld(view=Blocks(tilt), objects=OBJECTS),)
    ),
    _source(
        "pushed-shapes-stuck",
        "shapes, of which none goes left,",
        GridWorld(objects=OBJECTS, stuck=("left",)),
    ),
    *(_reacher(f"reacher{end}", elbow) for end, elbow in ELBOW.items()),
)
