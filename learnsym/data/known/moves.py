"""Ranges of shifts, sizes, shear and colour."""

from __future__ import annotations

from learnsym.data.known.bases import DOMAINS, FOUND, base, padded
from learnsym.data.known.laws import Along, Law
from learnsym.data.known.task import Task, Twins, changed
from learnsym.data.known.truth import Range

SHIFTS = (("digits", 0.05), ("digits", 0.12), ("mnist", 0.1), ("drawings", 0.15))
SCALES = (("digits", 0.15), ("fashion-mnist", 0.1), ("drawings", 0.2))
SHEARS = (("digits", 0.15), ("mnist", 0.2))
COLOURS = (
    ("drawings", "brightness", 0.2),
    ("drawings", "contrast", 0.3),
    ("cifar10-jpeg", "hue", 60.0),
    ("cifar10-jpeg", "hue", 180.0),
)
SYMMETRY = {"brightness": "colour", "contrast": "colour", "hue": "hue_saturation"}
CAP = {"brightness": 0.6, "contrast": 1.2, "hue": 180.0}
"""The largest half-width; of colours that do not come around also the largest move by which they are read."""


def move_tasks() -> list[Task]:
    """All tasks of this file."""
    shifts = [_geometric(name, "translation_x", "translation2d", width, 0.4) for name, width in SHIFTS]
    scales = [_geometric(name, "scale", "scale2d", width, 0.69) for name, width in SCALES]
    shears = [_geometric(name, "shear", "affine2d", width, 0.69) for name, width in SHEARS]
    return [*shifts, *scales, *shears, *(_colour(*row) for row in COLOURS)]


def _geometric(name: str, generator: str, symmetry: str, width: float, cap: float) -> Task:
    change = Along(symmetry, generator, Law(width=width))
    return Task(
        name=f"{name} {generator} {width:g}",
        family={"translation_x": "translation", "scale": "scale", "shear": "shear"}[generator],
        domain=DOMAINS[name],
        make=changed(base(name), padded),
        change=change,
        truth=Range(symmetry=symmetry, generator=generator, half_width=width, cap=cap, moves=cap),
        twins=Twins(symmetry=symmetry, oracle={generator: width}),
        needs="" if name in FOUND else name,
    )


def _colour(name: str, generator: str, width: float) -> Task:
    symmetry, cap = SYMMETRY[generator], CAP[generator]
    moves = None if generator == "hue" else cap
    return Task(
        name=f"{name} {generator} {width:g}",
        family="colour",
        domain=DOMAINS[name],
        make=base(name),
        change=Along(symmetry, generator, Law(width=width)),
        truth=Range(symmetry=symmetry, generator=generator, half_width=width, cap=cap, moves=moves),
        twins=Twins(symmetry=symmetry, oracle={generator: width}),
        needs="" if name in FOUND else name,
    )
