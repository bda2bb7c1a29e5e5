"""two_figures: a rocket and a snail, upright or upside down; the partial rotation symmetry is known exactly.

The analogue of the Mario-Iggy data of Benton, Finzi, Izmailov and Wilson (2020), "Learning Invariances in Neural
Networks from Training Data", arXiv:2010.11882, with drawings of our own.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.moving import move
from learnsym.data.seeding import generator
from learnsym.data.source import Sizes, Source

CLASSES = ("rocket", "rocket upside down", "snail", "snail upside down")
FINE = 2
"""Images are rotated at this many times their resolution, then averaged down."""
OVERSAMPLING = 4
"""The figures are drawn at this many times that resolution, then averaged down: smooth edges."""
CHUNK = 512

Shape = Callable[[Tensor, Tensor], Tensor]


def _ellipse(cx: float, cy: float, rx: float, ry: float) -> Shape:
    return lambda x, y: ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1.0


def _polygon(*corners: tuple[float, float]) -> Shape:
    """A convex polygon, corners counter-clockwise: left of every edge."""

    def inside(x: Tensor, y: Tensor) -> Tensor:
        edges = zip(corners, (*corners[1:], corners[0]), strict=True)
        sides = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0 for (ax, ay), (bx, by) in edges]
        return torch.stack(sides).all(0)

    return inside


Colour = tuple[float, float, float]

ROCKET: tuple[tuple[Colour, Shape], ...] = (
    ((1.0, 0.8, 0.1), _polygon((-0.2, -0.45), (0.0, -0.88), (0.2, -0.45))),
    ((0.1, 0.75, 0.3), _polygon((0.1, -0.1), (0.15, -0.55), (0.62, -0.6))),
    ((0.2, 0.4, 0.95), _ellipse(0.0, 0.05, 0.3, 0.62)),
    ((0.95, 0.15, 0.15), _polygon((-0.24, 0.42), (0.24, 0.42), (0.0, 0.9))),
    ((1.0, 1.0, 1.0), _ellipse(-0.06, 0.14, 0.14, 0.14)),
)

SNAIL: tuple[tuple[Colour, Shape], ...] = (
    ((0.45, 0.85, 0.35), _polygon((-0.72, -0.52), (0.62, -0.52), (0.5, -0.28), (-0.5, -0.28))),
    ((0.45, 0.85, 0.35), _polygon((0.3, -0.5), (0.62, -0.5), (0.68, 0.12), (0.44, 0.12))),
    ((0.95, 0.55, 0.15), _ellipse(-0.12, 0.06, 0.44, 0.44)),
    ((0.55, 0.2, 0.6), _ellipse(-0.2, 0.1, 0.26, 0.26)),
    ((1.0, 0.9, 0.4), _ellipse(-0.14, 0.16, 0.11, 0.11)),
    ((0.45, 0.85, 0.35), _ellipse(0.58, 0.2, 0.2, 0.17)),
    ((1.0, 1.0, 1.0), _ellipse(0.64, 0.24, 0.08, 0.08)),
    ((0.9, 0.3, 0.5), _polygon((0.46, 0.3), (0.54, 0.3), (0.48, 0.62), (0.42, 0.62))),
)


def draw(shapes: tuple[tuple[Colour, Shape], ...], size: int) -> Tensor:
    """Paint coloured shapes one over the other on a black ground: `(3, size, size)`, antialiased."""
    u = (torch.arange(size * OVERSAMPLING) + 0.5) * 2.0 / (size * OVERSAMPLING) - 1.0
    y, x = torch.meshgrid(u.flip(0), u, indexing="ij")
    picture = torch.zeros(3, *x.shape)
    for colour, shape in shapes:
        picture = torch.where(shape(x, y), torch.tensor(colour)[:, None, None], picture)
    return F.avg_pool2d(picture, OVERSAMPLING)


def two_figures(n: int, seed: int = 0, half_width: float = 45.0, size: int = 32) -> Dataset:
    """Two figures rotated by U(-h, h), or by that plus 180 degrees; which of the four is the class.

    A classifier can be invariant to rotations by up to `half_width`, and to nothing else.

    Args:
        n: number of images.
        seed: determines classes and angles.
        half_width: `h`, in degrees.
        size: side of the images in pixels.

    Returns:
        The images `(n, 3, size, size)`, labels 0..3 and the planted angles.
    """
    if n < 1 or not 0.0 <= half_width <= 90.0:
        raise ValueError(f"n, half_width: got {n}, {half_width}, must be >= 1 and within [0, 90] degrees")
    random = generator(seed, 5)
    y = torch.randint(len(CLASSES), (n,), generator=random)
    angle = half_width * (2.0 * torch.rand(n, generator=random) - 1.0) + 180.0 * (y % 2)
    planted = F.pad(angle[:, None], (2, 2))
    bases = torch.stack([draw(shapes, size * FINE) for shapes in (ROCKET, SNAIL)])
    rows = zip(y.split(CHUNK), planted.split(CHUNK), strict=True)
    x = torch.cat([F.avg_pool2d(move(bases[label // 2], row), FINE) for label, row in rows])
    return Dataset(x, y, "two-figures", len(CLASSES), CLASSES, planted=planted)


def _read(sizes: Sizes, seed: int) -> dict[str, Dataset]:
    return {"train": two_figures(sizes.train + sizes.val, 2 * seed), "test": two_figures(sizes.test, 2 * seed + 1)}


TWO_FIGURES = Source(
    name="two-figures",
    title="Simulated: a rocket and a snail rotated by up to 45 degrees, or by that plus 180; four classes, 32x32",
    licence="MIT (drawn by learnsym)",
    sizes=Sizes(10000, 1000, 5000),
    read=_read,
)
