"""Task symmetry by a rule: labels that tell directions apart, labels of places, and targets that move along."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from learnsym.data.bumps import blobs
from learnsym.data.dataset import Dataset
from learnsym.data.known.bases import SIDE, base, drawings
from learnsym.data.known.laws import Along, Law
from learnsym.data.known.task import Task, Twins, drawn
from learnsym.data.known.truth import Range
from learnsym.data.seeding import generator

COMPASS = ((2, 20.0), (2, 45.0), (2, 75.0), (4, 10.0), (4, 30.0))
"""Number of directions, and how far examples lie from theirs, in degrees."""
MARGINS = (0.0, 0.25)
"""How far objects keep from the middle that parts the labels, in halves of the side."""
REACH, WIDTHS = 0.5, (0.12, 0.24)
CAP = 0.2
VOID = 11


def label_tasks() -> list[Task]:
    """All tasks of this file."""
    places = [_places(f"which side, {m:g} from the middle", _side(m), m / 2) for m in MARGINS]
    shapes = [_places("which size", bump_of_size, CAP), _places("how far apart", two_bumps, CAP)]
    return [*(_compass(*row) for row in COMPASS), _any_turn(), *places, *shapes, _map(True), _map(False)]


def _task_range(half_width: float) -> Range:
    return Range(symmetry="rotation2d", generator="rotation", half_width=half_width, cap=180.0, notion="task")


def _compass(count: int, jitter: float) -> Task:
    tolerated = 180.0 / count - jitter
    return Task(
        name=f"compass of {count}, ± {jitter:g}",
        family="task extent",
        domain="drawings",
        make=drawn(lambda n, seed: compass(n, seed, count, jitter)),
        truth=_task_range(tolerated),
        twins=Twins(symmetry="rotation2d", oracle={"rotation": tolerated}, exact="rotation2d"),
    )


def compass(n: int, seed: int, count: int, jitter: float) -> Dataset:
    """One drawing that points in one of some directions, the label, up to U(-jitter, jitter) degrees.

    Augmentation by up to `180 / count - jitter` degrees gives no example the look of another label; by more it does.
    """
    figure = blobs(n, classes=1, size=SIDE, seed=seed)
    random = generator(seed, 53)
    y = torch.randint(count, (n,), generator=random)
    angles = 360.0 * y / count + Law(width=jitter).draw(n, random)
    turned = Along("rotation2d", "rotation", Law()).by(figure, angles)
    return replace(turned, y=y, classes=count, name=f"compass of {count}")


def _any_turn() -> Task:
    return Task(
        name="drawings by figure",
        family="task extent",
        domain="drawings",
        make=base("drawings"),
        truth=_task_range(180.0),
        twins=Twins(symmetry="rotation2d", oracle={"rotation": 180.0}, exact="rotation2d"),
    )


def _places(title: str, sample, half_width: float) -> Task:  # noqa: ANN001
    return Task(
        name=f"bumps: {title}",
        family="layer-wise",
        domain="drawings",
        make=drawn(sample),
        truth=Range(
            symmetry="translation2d",
            generator="translation_x",
            half_width=half_width,
            cap=CAP,
            notion="task",
            site="layer",
        ),
        twins=Twins(symmetry="translation2d", oracle={"translation_x": half_width}),
    )


def _side(margin: float):  # noqa: ANN202
    return lambda n, seed: bump_on_side(n, seed, margin)


def bump_on_side(n: int, seed: int, margin: float) -> Dataset:
    """A bump at a random place at least a margin from the middle; the label is its side, which is absolute."""
    random = generator(seed, 59)
    y = torch.randint(2, (n,), generator=random)
    x = (2.0 * y - 1.0) * (margin + (REACH - margin) * torch.rand(n, generator=random))
    centre = torch.stack([x, REACH * (2.0 * torch.rand(n, generator=random) - 1.0)], -1)
    return Dataset(bump(centre, torch.full((n,), WIDTHS[0])), y, "side of a bump", 2)


def bump_of_size(n: int, seed: int) -> Dataset:
    """A bump at a random place; the label is its size, which no shift changes."""
    random = generator(seed, 61)
    y = torch.randint(2, (n,), generator=random)
    centre = REACH * (2.0 * torch.rand(n, 2, generator=random) - 1.0)
    return Dataset(bump(centre, torch.tensor(WIDTHS)[y]), y, "size of a bump", 2)


def two_bumps(n: int, seed: int) -> Dataset:
    """Two bumps; the label is whether they are far from each other, which no shift changes."""
    random = generator(seed, 67)
    y = torch.randint(2, (n,), generator=random)
    middle = 0.2 * (2.0 * torch.rand(n, 2, generator=random) - 1.0)
    angle = torch.pi * torch.rand(n, generator=random)
    half = (0.2 + 0.15 * y)[:, None] * torch.stack([angle.cos(), angle.sin()], -1)
    width = torch.full((n,), WIDTHS[0])
    return Dataset(bump(middle + half, width) + bump(middle - half, width), y, "distance of bumps", 2)


def bump(centre: Tensor, width: Tensor) -> Tensor:
    """Gaussian bumps `(N, 1, 16, 16)` at centres `(N, 2)` in halves of the side, x right and y up."""
    u = (torch.arange(SIDE) + 0.5) * 2.0 / SIDE - 1.0
    across = torch.exp(-0.5 * ((u - centre[:, :1]) / width[:, None]) ** 2)
    down = torch.exp(-0.5 * ((u.flip(0) - centre[:, 1:]) / width[:, None]) ** 2)
    return (down[:, :, None] * across[:, None, :])[:, None]


def _map(moves: bool) -> Task:
    title = "bright pixels" if moves else "bright pixels above and below the middle"
    return Task(
        name=f"map of {title}",
        family="equivariant targets",
        domain="drawings",
        make=drawn(lambda n, seed: pixel_map(n, seed, moves)),
        truth=_task_range(180.0 if moves else 0.0),
        twins=Twins(
            symmetry="rotation2d",
            oracle={"rotation": 180.0 if moves else 0.0},
            exact="rotation2d",
            output="equivariant",
        ),
    )


def pixel_map(n: int, seed: int, moves: bool) -> Dataset:
    """Drawings with a label for each pixel: whether it is bright; and, unless labels move along, in which half."""
    figures = drawings(n, seed)
    x = figures.inputs
    assert isinstance(x, Tensor)
    y = (x[:, 0] > 0.5).long()
    if not moves:
        y[:, SIDE // 2 :] *= 2
    return Dataset(x, y, "pixels of drawings", 3, ignore=VOID)
