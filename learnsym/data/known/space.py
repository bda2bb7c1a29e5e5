"""Rotations of space: clouds of points, volumes, and forces that turn along about one axis only."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud, PointVectors, Volume
from learnsym.data.dataset import Dataset
from learnsym.data.known.bases import DOMAINS, base
from learnsym.data.known.laws import Along, Among, Everywhere, Law
from learnsym.data.known.task import Task, drawn
from learnsym.data.known.truth import Axis, Closed, Range
from learnsym.data.seeding import generator
from learnsym.groups import O3, SO3
from learnsym.symmetry import Symmetry, SymmetryLike

ONE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
MIRROR = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
POINTS = Symmetry(O3(), PointCloud())
SCANS = Symmetry(SO3(), Volume())
TURNS = {"clouds": (40.0, 110.0, 180.0), "volumes": (60.0, 180.0)}
TILTED = (0.6, 0.0, 0.8)
FIELDS = (
    Axis(kept="one axis", direction=(0.0, 0.0, 1.0)),
    Axis(kept="one axis", direction=(1.0, 0.0, 0.0)),
    Axis(kept="one axis", direction=TILTED),
    Axis(kept="all rotations"),
    Axis(kept="none"),
)
UNEQUAL = (0.5, 1.0, 1.5)
"""Stiffness along x, y and z of springs that keep no rotation."""


def space_tasks() -> list[Task]:
    """All tasks of this file."""
    turns = [_turned(name, width) for name, widths in TURNS.items() for width in widths]
    full = Task(
        name="clouds in all orientations",
        family="rotation of space",
        domain="point clouds",
        make=base("clouds"),
        change=Everywhere("so3"),
        truth=_about_z("so3", 180.0),
    )
    mirrors = [_mirrored(elements) for elements in ((ONE, MIRROR), (ONE,))]
    upright = Task(
        name="clouds as they are: rotation about z",
        family="no symmetry",
        domain="point clouds",
        make=base("clouds"),
        truth=_about_z("so3", 0.0),
    )
    return [*turns, full, *mirrors, upright, *map(_forces, FIELDS)]


def _about_z(symmetry: SymmetryLike, width: float) -> Range:
    shape = "box" if width else "none"
    return Range(symmetry=symmetry, generator="rotation_z", half_width=width, cap=180.0, shape=shape)


def _turned(name: str, width: float) -> Task:
    symmetry = "so3" if name == "clouds" else SCANS
    return Task(
        name=f"{name} rotation about z {width:g}",
        family="rotation of space",
        domain=DOMAINS[name],
        make=base(name),
        change=Along(symmetry, "rotation_z", Law(width=width)),
        truth=_about_z(symmetry, width),
    )


def _mirrored(elements: tuple[tuple[tuple[float, ...], ...], ...]) -> Task:
    holds = len(elements) > 1
    return Task(
        name=f"clouds {'with' if holds else 'without'} their mirror images",
        family="mirror of space",
        domain="point clouds",
        make=base("clouds"),
        change=Among(POINTS, elements),
        truth=Closed(symmetry=POINTS, element=lambda: torch.tensor(MIRROR), title="mirror along x", holds=holds),
    )


def _forces(truth: Axis) -> Task:
    about = "" if truth.direction is None else f" about {', '.join(f'{v:g}' for v in truth.direction)}"
    return Task(
        name=f"forces: {truth.kept}{about}",
        family="residual axis",
        domain="point clouds",
        make=drawn(lambda n, seed: forces(n, seed, truth)),
        truth=truth,
    )


def forces(n: int, seed: int, truth: Axis) -> Dataset:
    """Clouds of five points on springs `(n, 5, 3)`, with the force on each.

        f_i = K Σ_j (x_j - x_i) + g

    A field `g` leaves the rotations about its own axis; springs `K = diag(0.5, 1, 1.5)` leave none.
    """
    x = torch.randn(n, 5, 3, generator=generator(seed, 71))
    return Dataset(x, force(x, truth), "forces", on_input=PointCloud(), on_output=PointVectors())


def force(x: Float[Tensor, "B P 3"], truth: Axis) -> Float[Tensor, "B P 3"]:
    """The force on each point, see `forces`."""
    stiffness = torch.tensor(UNEQUAL if truth.kept == "none" else (1.0, 1.0, 1.0)).to(x)
    field = torch.tensor(truth.direction or (0.0, 0.0, 0.0)).to(x)
    return stiffness * (x.sum(1, keepdim=True) - x.shape[1] * x) + 2.0 * field
