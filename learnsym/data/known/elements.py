"""Single elements: flips, dihedral groups, permutations of some positions only, and periodic crystals."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from learnsym.actions import Image, Set
from learnsym.data.dataset import Dataset
from learnsym.data.known.bases import DOMAINS, FOUND, base
from learnsym.data.known.laws import Among
from learnsym.data.known.task import Task, Twins, drawn
from learnsym.data.known.truth import Closed
from learnsym.data.seeding import generator
from learnsym.groups import O2, Permutation
from learnsym.symmetry import Symmetry

Matrix = tuple[tuple[float, ...], ...]
ONE: Matrix = ((1.0, 0.0), (0.0, 1.0))
FLIP: Matrix = ((-1.0, 0.0), (0.0, 1.0))
QUARTERS: tuple[Matrix, ...] = (
    ONE,
    ((0.0, -1.0), (1.0, 0.0)),
    ((-1.0, 0.0), (0.0, -1.0)),
    ((0.0, 1.0), (-1.0, 0.0)),
)
FLIPPED: tuple[Matrix, ...] = tuple(tuple((-row[0], row[1]) for row in quarter) for quarter in QUARTERS)
PLANE = Symmetry(O2(), Image())
PANELS, EXCHANGED = 6, 3
"""Channels of a picture, and how many of them have one law."""
GRAINS = {"square": (90.0, (1.0, 1.0)), "hexagonal": (60.0, (1.0, 1.0)), "oblique": (75.0, (1.0, 1.4))}
"""Angle between the two shifts that leave a crystal as it is, in degrees, and their lengths."""
CRYSTALS = (
    ("square", 90.0, True),
    ("square", 45.0, False),
    ("hexagonal", 90.0, False),
    ("hexagonal", 60.0, True),
    ("oblique", 180.0, True),
    ("oblique", 90.0, False),
)


def element_tasks() -> list[Task]:
    """All tasks of this file."""
    flips = [_of_plane(n, "flip", (ONE, FLIP), FLIP, "left-right flip", True) for n in ("drawings", "digits")]
    flips += [_of_plane("fashion-mnist", "flip", (ONE, FLIP), FLIP, "left-right flip", True)]
    turns = [_of_plane(n, "dihedral", QUARTERS, QUARTERS[1], "quarter turn", True) for n in ("drawings", "digits")]
    turns += [_of_plane("drawings", "dihedral", QUARTERS, FLIP, "left-right flip", False)]
    both = [_of_plane("digits", "dihedral", QUARTERS + FLIPPED, FLIP, "left-right flip", True)]
    both += [_of_plane("mnist", "dihedral", (ONE, FLIP), QUARTERS[1], "quarter turn", False)]
    orders = [_exchange(*pair) for pair in ((0, 1), (1, 2), (0, 3), (4, 5))]
    return [*flips, *turns, *both, *orders, *(_crystal(*row) for row in CRYSTALS)]


def _of_plane(name: str, family: str, law: tuple[Matrix, ...], asked: Matrix, title: str, holds: bool) -> Task:
    symmetry = "square2d" if len(law) > 4 else "quarter_turns2d" if len(law) == 4 else "flip2d"
    return Task(
        name=f"{name} of {len(law)} elements: {title}",
        family=family,
        domain=DOMAINS[name],
        make=base(name),
        change=Among(PLANE, law),
        truth=Closed(symmetry=PLANE, element=lambda: torch.tensor(asked), title=title, holds=holds),
        twins=Twins(symmetry=symmetry, oracle={}, exact=symmetry),
        needs="" if name in FOUND else name,
    )


def _exchange(i: int, j: int) -> Task:
    order = list(range(PANELS))
    order[i], order[j] = order[j], order[i]
    return Task(
        name=f"panels: exchange {i} and {j}",
        family="permutation of some positions",
        domain="panels",
        make=drawn(panels),
        truth=Closed(
            symmetry=Symmetry(Permutation(PANELS), Set()),
            element=lambda: torch.eye(PANELS)[order],
            title=f"exchange of panels {i} and {j}",
            holds=max(i, j) < EXCHANGED,
        ),
    )


def panels(n: int, seed: int) -> Dataset:
    """Pictures of six panels `(n, 6, 12, 12)` with a bump each: the first three have one law, the others their own.

    The centre of the bump of panel `i` is `r_i (cos t, sin t)` with independent `t`; `r_i` is the same for the first
    three and differs between all others.
    """
    random = generator(seed, 41)
    radius = torch.tensor([0.3] * EXCHANGED + [0.0, 0.5, 0.7])
    angle = 2 * math.pi * torch.rand(n, PANELS, generator=random)
    centre = radius[:, None] * torch.stack([angle.cos(), angle.sin()], -1)
    u = (torch.arange(12) + 0.5) / 6 - 1.0
    bump = torch.exp(-0.5 * ((u - centre[..., None]) / 0.2) ** 2)
    return Dataset(bump[:, :, 1, :, None] * bump[:, :, 0, None, :], torch.zeros(n, 0), "panels")


def _crystal(kind: str, turn: float, holds: bool) -> Task:
    angle = math.radians(turn)
    matrix = ((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle)))
    return Task(
        name=f"{kind} crystal: turn by {turn:g}",
        family="periodic crystal",
        domain="crystals",
        make=drawn(lambda n, seed: crystals(kind, n, seed)),
        truth=Closed(symmetry=PLANE, element=lambda: torch.tensor(matrix), title=f"turn by {turn:g}°", holds=holds),
    )


def crystals(kind: str, n: int, seed: int) -> Dataset:
    """Sections of a periodic crystal `(n, 1, 16, 16)` within a disc, at a random place of the cell.

    The density is a sum of waves over the shortest reciprocal vectors, `ρ(u) = Σ_k cos(k·(u - s))` with `s` uniform on
    the cell. A rotation that maps the set of the `k` onto itself leaves the law of the sections as it is.
    """
    u = (torch.arange(16) + 0.5) / 8 - 1.0
    y, x = torch.meshgrid(u.flip(0), u, indexing="ij")
    place = torch.stack([x, y], -1)
    waves = reciprocal(kind)
    # the phases of a place that is uniform on the cell: those of two waves, and what follows for the others
    phase = 2 * math.pi * torch.rand(n, 2, generator=generator(seed, 43))
    phases = phase @ torch.linalg.solve(waves[:2].T, waves.T)
    density = (torch.einsum("hwd,kd->khw", place, waves)[None] - phases[..., None, None]).cos().mean(1)
    disc = (x**2 + y**2 < 0.9).float()
    return Dataset((density * disc)[:, None], torch.zeros(n, 0), f"{kind} crystals")


def reciprocal(kind: str) -> Tensor:
    """The shortest reciprocal vectors `(K, 2)` of a crystal, one of each pair `±k`."""
    angle, lengths = GRAINS[kind]
    first = torch.tensor([lengths[0], 0.0])
    second = lengths[1] * torch.tensor([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    vectors = [first, second] + ([second - first] if kind == "hexagonal" else [])
    return 8.0 * torch.stack(vectors)
