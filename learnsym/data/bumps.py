"""blobs: a toy classification whose pictures are a few Gaussian bumps, drawn in no time."""

from __future__ import annotations

import torch
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.seeding import generator
from learnsym.data.source import Sizes, Source

BUMPS = 4


def blobs(n: int, classes: int = 3, size: int = 28, seed: int = 0, jitter: float = 0.04) -> Dataset:
    """Images of class-specific constellations of Gaussian bumps, upright, without any symmetry of their own.

    `x(u) = max_k exp(-|u - c_k|^2 / (2 s_k^2))`, with centres `c_k` fixed per class up to a `jitter` per image
    (in halves of the side), inside the inscribed circle.

    Args:
        n: number of images.
        classes: number of classes.
        size: side of the images in pixels.
        seed: determines labels and jitter; the constellations are the same for all seeds.
        jitter: standard deviation of the centres.

    Returns:
        The images `(n, 1, size, size)` and their labels.

    Example:
        >>> ls.data.blobs(5, size=16).x.shape
        torch.Size([5, 1, 16, 16])
    """
    if n < 1 or classes < 1 or size < 4:
        raise ValueError(f"n, classes, size: got {n}, {classes}, {size}, must be >= 1, 1, 4; draw at least one image")
    random = generator(seed, 7)
    y = torch.randint(classes, (n,), generator=random)
    centres, widths = _constellations(classes)
    moved = centres[y] + jitter * torch.randn(n, BUMPS, 2, generator=random)
    return Dataset(_draw(moved, widths[y], size)[:, None], y, "blobs", classes)


def _constellations(classes: int) -> tuple[Tensor, Tensor]:
    """Centres `(classes, BUMPS, 2)` at random angles and growing radii, and widths `(classes, BUMPS)`."""
    random = generator(2024, classes)
    angle = 2.0 * torch.pi * torch.rand(classes, BUMPS, generator=random)
    radius = torch.linspace(0.15, 0.65, BUMPS).expand(classes, BUMPS)
    centres = radius[..., None] * torch.stack([angle.cos(), angle.sin()], -1)
    return centres, 0.08 + 0.1 * torch.rand(classes, BUMPS, generator=random)


def _draw(centres: Tensor, widths: Tensor, size: int) -> Tensor:
    u = (torch.arange(size) + 0.5) * 2.0 / size - 1.0
    # exp(-|u - c|^2 / 2s^2) factorises over the axes.
    across = torch.exp(-0.5 * ((u - centres[..., :1]) / widths[..., None]) ** 2)
    down = torch.exp(-0.5 * ((u.flip(0) - centres[..., 1:]) / widths[..., None]) ** 2)
    return (down[..., :, None] * across[..., None, :]).amax(1)


def _read(sizes: Sizes, seed: int) -> dict[str, Dataset]:
    return {"train": blobs(sizes.train + sizes.val, seed=2 * seed), "test": blobs(sizes.test, seed=2 * seed + 1)}


BLOBS = Source(
    name="blobs",
    title="Simulated: constellations of Gaussian bumps, 28x28, three classes",
    licence="MIT (drawn by learnsym)",
    sizes=Sizes(512, 128, 256),
    read=_read,
)
