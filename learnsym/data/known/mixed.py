"""Ranges that depend on the example, symmetry in one region only, and no symmetry at all."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.known.bases import DOMAINS, FOUND, SIDE, base, drawings, padded
from learnsym.data.known.elements import FLIP, PLANE
from learnsym.data.known.laws import Along, Law
from learnsym.data.known.rotation import rotation_range
from learnsym.data.known.task import Task, Twins, changed, drawn
from learnsym.data.known.truth import Closed, Range
from learnsym.data.seeding import generator

NARROW, WIDE = 15.0, 90.0
UPRIGHT = ("digits", "mnist", "fashion-mnist", "drawings")
ASYMMETRIC = ("digits", "mnist", "drawings")
TURN = Twins(symmetry="rotation2d", oracle={}, exact="rotation2d")


def mixed_tasks() -> list[Task]:
    """All tasks of this file."""
    by_class = [_by_class(name) for name in ("digits", "drawings")]
    local = [_local("turned"), _local("upright")]
    upright = [_upright(name) for name in UPRIGHT]
    mirrors = [_mirror(name) for name in ASYMMETRIC]
    return [*by_class, *local, *upright, *mirrors, _unmoved("drawings"), _unmoved("digits")]


def turned_by_class(dataset: Dataset, seed: int) -> Dataset:
    """Turns by U(-15, 15) degrees for even labels and U(-90, 90) for odd ones."""
    width = torch.where(dataset.y % 2 == 0, NARROW, WIDE)
    angles = width * Law(width=1.0).draw(len(dataset), generator(seed, 47))
    return Along("rotation2d", "rotation", Law()).by(dataset, angles)


def _by_class(name: str) -> Task:
    return Task(
        name=f"{name} turned by {NARROW:g} or {WIDE:g} by class",
        family="input-dependent range",
        domain=DOMAINS[name],
        make=base(name),
        change=turned_by_class,
        truth=rotation_range(WIDE, "two ranges"),
        twins=replace(TURN, oracle={"rotation": WIDE}),
        needs="" if name in FOUND else name,
    )


def two_regions(n: int, seed: int, turns: float) -> Dataset:
    """Two drawings in one picture: the left half is upright, the right one turned by U(-turns, turns)."""
    left, right = drawings(n, 2 * seed), drawings(n, 2 * seed + 1)
    right = Along("rotation2d", "rotation", Law(width=turns))(right, seed)
    x = torch.cat([_inputs(left), _inputs(right)], 3)
    x = torch.nn.functional.interpolate(
        torch.nn.functional.pad(x, (0, 0, SIDE // 2, SIDE // 2)), size=[SIDE, SIDE], mode="bilinear", antialias=True
    )
    return Dataset(x, right.y, "two drawings", right.classes)


def _inputs(dataset: Dataset) -> Tensor:
    x = dataset.inputs
    assert isinstance(x, Tensor)
    return x


def _local(right: str) -> Task:
    turns = 180.0 if right == "turned" else 0.0
    return Task(
        name=f"two drawings, the right one {right}",
        family="local symmetry",
        domain="drawings",
        make=drawn(lambda n, seed: two_regions(n, seed, turns)),
        truth=rotation_range(0.0, "none"),
        twins=replace(TURN, oracle={}),
    )


def _upright(name: str) -> Task:
    return Task(
        name=f"{name} as they are: rotation",
        family="no symmetry",
        domain=DOMAINS[name],
        make=base(name),
        truth=rotation_range(0.0, "none"),
        twins=replace(TURN, oracle={}),
        needs="" if name in FOUND else name,
    )


def _mirror(name: str) -> Task:
    return Task(
        name=f"{name} as they are: left-right flip",
        family="no symmetry",
        domain=DOMAINS[name],
        make=base(name),
        truth=Closed(symmetry=PLANE, element=lambda: torch.tensor(FLIP), title="left-right flip", holds=False),
        twins=Twins(symmetry="flip2d", oracle={}, exact="flip2d"),
        needs="" if name in FOUND else name,
    )


def _unmoved(name: str) -> Task:
    return Task(
        name=f"{name} as they are: translation",
        family="no symmetry",
        domain=DOMAINS[name],
        make=changed(base(name), padded),
        truth=Range(
            symmetry="translation2d", generator="translation_x", half_width=0.0, cap=0.4, moves=0.4, shape="none"
        ),
        twins=Twins(symmetry="translation2d", oracle={}),
        needs="" if name in FOUND else name,
    )
