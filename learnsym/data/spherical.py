"""Figures on the sphere: digits projected from a tangent plane onto an equiangular grid, each turned by itself.

A figure is drawn on the plane that touches the sphere at a point and is read, bilinearly, where the ray from the point
opposite to it through the sphere meets the plane (stereographic projection). A turned sphere is a projection onto a
turned grid, `(g·f)(p) = f(g^-1 p)`, so that no picture is interpolated on the sphere.

Cohen, Geiger, Köhler and Welling (2018), "Spherical CNNs", arXiv 1801.10130, for single digits; Gerken et al. (2022),
"Equivariance versus augmentation for spherical images", arXiv 2202.03990, for masks and several digits. Their code
turns 500 images at a time by one rotation, which `chunk` does; here each image has its own by default.

Legend of axes: `N` images, `H`, `W` pixels on the sphere, `h`, `w` those of the plane.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from learnsym._settings import Count, Distinct, In, check_settings
from learnsym.actions import nearest_sample
from learnsym.data.dataset import Dataset
from learnsym.data.digits import DIGITS
from learnsym.data.idx import FASHION_MNIST, MNIST
from learnsym.data.inputs import as_float
from learnsym.data.resizing import inscribe
from learnsym.data.seeding import generator
from learnsym.data.source import Sizes, Source
from learnsym.groups import SO3, AxialSO2, Group
from learnsym.representations import sphere_points

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
SIZE, SMALLEST = 40, 8
HALF_WIDTH = 2.0
"""Half of the side of the canvas on the tangent plane of the unit sphere: it covers 90° to each side of its centre."""
INK = 150 / 255
"""Pixels above this are of the figure's class, all others of the background."""
HELD_OUT = 0.1
"""Share of the figures of the training pool that validation images are made of."""
BLOCK = 256
FRAMES = {  # rows: to the right, up, and outwards to the point where the plane touches
    "south_pole": ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "equator": ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
}
LAWS: dict[str, Callable[[], Group]] = {"haar": SO3, "vertical": lambda: AxialSO2(2)}


@dataclass(frozen=True, kw_only=True)
class SphereConfig:
    """How figures are drawn on the sphere; for data sets whose names begin with `spherical`."""

    masks: bool = False
    """Whether targets are classes of pixels, 0 for the background and 1 more than that of the figure, or of images."""
    rotated: Annotated[list[Split], Distinct()] = field(default_factory=lambda: list(SPLITS))
    """Splits whose images are turned; the others are upright."""
    law: Literal["haar", "vertical"] = "haar"
    """Uniform rotations, or uniform turns about the vertical, as of upright panoramas."""
    place: Literal["south_pole", "equator"] = "south_pole"
    """Where figures stand before they are turned."""
    figures: Annotated[int, In("[1, 4]")] = 1
    """Figures on one sphere, each in a quarter of the canvas; more than one with masks only."""
    originals: Count | None = None
    """Training images are made of this many figures, each turned anew for each image; None for one image each."""
    chunk: Count = 1
    """Images in succession that share one rotation; 500 in the code released with the paper."""

    def __post_init__(self) -> None:
        check_settings(self, "data.sphere.")
        if self.figures > 1 and not self.masks:
            raise ValueError(
                f"data.sphere.figures: got {self.figures} without masks, so that an image would have several classes; "
                "set data.sphere.masks to true"
            )


def spherical_figures(
    pool: Dataset, n: int, seed: int = 0, size: int = SIZE, config: SphereConfig | None = None, split: Split = "train"
) -> Dataset:
    """Images of figures of a pool on the sphere.

    Args:
        pool: images `(M, 1, h, w)` with labels; figures are taken in turn, in a random order.
        n: number of images.
        seed: determines the order, the rotations and where figures of several stand.
        size: rows and columns of the images, even, from 8 on.
        config: how they are drawn.
        split: which split they are for, which says whether they are turned.

    Returns:
        Images `(n, 1, size, size)` with values up to 1, labels `(n,)` or masks `(n, size, size)`, and the rotations as
        `planted` `(n, 9)`, row by row.

    Raises:
        ValueError: for a size that does not hold the sphere, or more originals than figures.

    Example:
        >>> digits = ls.data.load("digits")
        >>> data = ls.data.spherical_figures(digits, 5, size=16)
        >>> data.in_shape, data.planted.shape
        ((1, 16, 16), torch.Size([5, 9]))
    """
    config = config or SphereConfig()
    _check(pool, n, size, config, split)
    order = torch.randperm(len(pool), generator=generator(seed, 23, SPLITS.index(split)))
    if split == "train" and config.originals is not None:
        order = order[: config.originals]
    chosen = order[torch.arange(n * config.figures) % len(order)].view(n, config.figures)
    g = _rotations(n, config, split, seed)
    blocks = zip(chosen.split(BLOCK), g.split(BLOCK), strict=True)
    drawn = [_draw(pool, rows, turn, size, config, generator(seed, 29, b)) for b, (rows, turn) in enumerate(blocks)]
    x, masks = (torch.cat(parts) for parts in zip(*drawn, strict=True))
    names = ("background", *pool.class_names) if config.masks else pool.class_names
    return Dataset(
        x[:, None],
        masks if config.masks else pool.y[chosen[:, 0]],
        f"spherical {pool.name}",
        len(names),
        names,
        variant=_described(config, split),
        on_sphere=True,
        planted=g.flatten(1).float(),
    )


def _draw(
    pool: Dataset, rows: Int[Tensor, "N F"], g: Tensor, size: int, config: SphereConfig, random: torch.Generator
) -> tuple[Float[Tensor, "N H W"], Int[Tensor, "N H W"]]:
    """Images and masks of one block."""
    images, labels = as_float(pool.x[rows.flatten()])[:, 0].unflatten(0, rows.shape), pool.y[rows] + 1
    canvas, classes = _canvas(images, labels, random)
    grid = _on_plane(g, size, config.place)
    x = F.grid_sample(canvas[:, None], grid, "bilinear", "zeros", align_corners=False)[:, 0]
    x = x / x.amax((1, 2), keepdim=True).clamp(min=1e-6)
    return x, nearest_sample(classes[:, None], grid)[:, 0] * (x > INK)


def _canvas(
    images: Float[Tensor, "N F h w"], labels: Int[Tensor, "N F"], random: torch.Generator
) -> tuple[Float[Tensor, "N h2 w2"], Int[Tensor, "N h2 w2"]]:
    """Figures on one canvas, and which class a pixel of it belongs to where there is ink: the whole canvas for one
    figure, else a random one of four quarters for each."""
    count, height, width = images.shape[1:]
    classes = labels[..., None, None].expand(images.shape)
    if count == 1:
        return images[:, 0], classes[:, 0]
    quarters = torch.rand(len(images), 4, generator=random).argsort(-1)[:, :count]
    place = quarters[:, :, None, None].expand(images.shape)
    empty = images.new_zeros(len(images), 4, height, width)
    tiles = (empty.scatter(1, place, images), torch.zeros_like(empty, dtype=torch.long).scatter(1, place, classes))
    canvas, quilt = (t.view(-1, 2, 2, height, width).transpose(2, 3).reshape(-1, 2 * height, 2 * width) for t in tiles)
    return canvas, quilt


def _on_plane(g: Float[Tensor, "N 3 3"], size: int, place: str) -> Float[Tensor, "N H W 2"]:
    """Where the turned grid is read on the canvas, from -1 to 1: `q = 2 (p·right, p·up) / (1 + p·out)` of `g^-1 p`."""
    frame = torch.tensor(FRAMES[place], dtype=torch.float64)
    right, up, out = torch.einsum("kj,nij,hwi->knhw", frame, g, sphere_points(size, size)).unbind(0)
    scale = 2 / HALF_WIDTH / (1 + out).clamp(min=1e-3)  # beyond it lies far outside of the canvas
    return torch.stack([right * scale, -up * scale], -1).float()


def _rotations(n: int, config: SphereConfig, split: Split, seed: int) -> Float[Tensor, "N 3 3"]:
    """One rotation for each chunk of images; the first ones do not depend on how many there are."""
    if split not in config.rotated:
        return torch.eye(3, dtype=torch.float64).expand(n, 3, 3)
    group, count = LAWS[config.law](), -(-n // config.chunk)
    blocks = range(-(-count // BLOCK))
    draws = [
        group.haar(BLOCK, dtype=torch.float64, generator=generator(seed, 31, SPLITS.index(split), block))
        for block in blocks
    ]
    return torch.cat(draws)[:count].repeat_interleave(config.chunk, 0)[:n]


def _described(config: SphereConfig, split: Split) -> str:
    turned = {"haar": "turned by uniform rotations", "vertical": "turned about the vertical"}[config.law]
    several = "" if config.figures == 1 else f", {config.figures} on each sphere"
    together = f", {config.chunk} at a time" if config.chunk > 1 else ""
    return f"on the sphere{several}, {turned + together if split in config.rotated else 'upright'}"


def _check(pool: Dataset, n: int, size: int, config: SphereConfig, split: Split) -> None:
    if n < 1:
        raise ValueError(f"n: got {n}, must be at least 1")
    if split not in SPLITS:
        raise ValueError(f"split: got {split!r}, must be one of {', '.join(SPLITS)}")
    if size < SMALLEST or size % 2:
        raise ValueError(
            f"data.size: got {size} for spherical images, must be an even number from {SMALLEST} on, so that rows go "
            f"on beyond the poles; take {max(SMALLEST, size + size % 2)}"
        )
    if split == "train" and config.originals is not None and config.originals > len(pool):
        raise ValueError(
            f"data.sphere.originals: got {config.originals}, there are {len(pool)} figures for training; take fewer"
        )


Pools = Callable[[], tuple[Dataset, Dataset]]


def _mnist_pools(source: Source) -> tuple[Dataset, Dataset]:
    pools = source.read(source.sizes, 0)
    return pools["train"], pools["test"]


def _digits_pools() -> tuple[Dataset, Dataset]:
    pools = DIGITS.read(DIGITS.sizes, 0)
    return inscribe(pools["train"], 28), inscribe(pools["test"], 28)


def _on_sphere(pools: Pools, sizes: Sizes, seed: int, size: int | None, config: SphereConfig) -> dict[str, Dataset]:
    """All splits; no figure is in two of them."""
    train, test = pools()
    order, kept = torch.randperm(len(train), generator=generator(0, 37)), round(len(train) * (1 - HELD_OUT))
    parts = {"train": train.subset(order[:kept]), "val": train.subset(order[kept:]), "test": test}
    return {
        split: spherical_figures(parts[split], n, seed, SIZE if size is None else size, config, split)
        for split, n in zip(SPLITS, sizes, strict=True)
    }


def _as_drawn(dataset: Dataset, size: int | None) -> Dataset:
    """The images, which are drawn at their size."""
    return dataset


def _source(base: Source, pools: Pools, what: str, sizes: Sizes) -> Source:
    on_sphere = partial(_on_sphere, pools)
    return Source(
        name=f"spherical-{base.name}",
        title=f"{what} projected onto the sphere, 40x40 pixels from pole to pole, turned; classes or masks",
        licence=base.licence,
        sizes=sizes,
        read=lambda sizes, seed: on_sphere(sizes, seed, None, SphereConfig()),
        files=base.files,
        resize=_as_drawn,
        on_sphere=on_sphere,
    )


SPHERICAL = (
    _source(DIGITS, _digits_pools, "Handwritten digits of scikit-learn", Sizes(1000, 200, 400)),
    _source(MNIST, partial(_mnist_pools, MNIST), "MNIST", Sizes(10000, 1000, 2000)),
    _source(FASHION_MNIST, partial(_mnist_pools, FASHION_MNIST), "Fashion-MNIST", Sizes(10000, 1000, 2000)),
)
