"""Examples before a symmetry is planted in them: real ones, and drawings that have none of their own."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.data.bumps import blobs
from learnsym.data.config import DataConfig
from learnsym.data.dataset import Dataset
from learnsym.data.known.task import Make, drawn
from learnsym.data.seeding import generator
from learnsym.data.source import Sizes
from learnsym.data.splits import Splits, load_splits

SIDE = 16
DOMAINS = {
    "digits": "digits",
    "mnist": "digits",
    "fashion-mnist": "garments",
    "cifar10-jpeg": "natural pictures",
    "drawings": "drawings",
    "clouds": "point clouds",
    "volumes": "volumes",
}
"""What the examples of each base are."""
FOUND = ("digits", "drawings", "clouds", "volumes")
"""Bases that need no files."""
POINTS = 6


@lru_cache
def base(name: str) -> Make:
    """The examples of a base."""
    simulators = {"drawings": drawings, "clouds": clouds, "volumes": volumes}
    return drawn(simulators[name]) if name in simulators else real(name)


def real(name: str) -> Make:
    """Real pictures, 16 pixels wide."""

    def make(sizes: Sizes, seed: int) -> Splits:
        count = dict(zip(("train", "val", "test"), sizes, strict=True))
        return load_splits(DataConfig(name=name, size=SIDE, seed=seed, **count))

    return make


def drawings(n: int, seed: int) -> Dataset:
    """Constellations of bumps, three classes, upright."""
    return blobs(n, size=SIDE, seed=seed)


def clouds(n: int, seed: int) -> Dataset:
    """Clouds of points `(n, 6, 3)`: one of three fixed figures without symmetry, each point displaced by 0.05."""
    figures = torch.randn(3, POINTS, 3, generator=generator(2025, POINTS))
    figures = figures - figures.mean(1, keepdim=True)
    random = generator(seed, 31)
    y = torch.randint(3, (n,), generator=random)
    return Dataset(figures[y] + 0.05 * torch.randn(n, POINTS, 3, generator=random), y, "clouds", 3)


def volumes(n: int, seed: int) -> Dataset:
    """Volumes `(n, 1, 12, 12, 12)` of four bumps of different widths, within a ball, upright."""
    random = generator(seed, 37)
    centres = torch.tensor([[0.0, 0.1, -0.1], [0.45, 0.0, 0.15], [-0.1, 0.5, 0.0], [0.1, -0.15, 0.45]])
    widths = torch.tensor([0.28, 0.16, 0.22, 0.12])
    moved = centres + 0.03 * torch.randn(n, 4, 3, generator=random)
    u = (torch.arange(12) + 0.5) / 6 - 1.0
    bump = torch.exp(-0.5 * ((u - moved[..., None]) / widths[:, None, None]) ** 2)
    x = torch.einsum("nkd,nkh,nkw->nkdhw", bump[:, :, 2], bump[:, :, 1], bump[:, :, 0]).amax(1, keepdim=True)
    return Dataset(x, torch.zeros(n, 0), "volumes")


def padded(dataset: Dataset, _: int) -> Dataset:
    """Images with a border of zeros, so that shifted objects stay within."""
    x = dataset.inputs
    assert isinstance(x, Tensor)
    return replace(dataset, x=F.pad(x, (SIDE // 4,) * 4))
