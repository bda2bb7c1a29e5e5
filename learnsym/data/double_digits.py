"""Double digits: two MNIST digits side by side, each moved by its own element of a group; the class is the pair.

Each digit can be told whatever its pose, while the order of the two is lost under rotations of the whole image: early
layers may have the symmetry of the group, the last ones may not.

Veefkind and Cesa (2024), "A probabilistic approach to learning the degree of equivariance in steerable CNNs",
arXiv 2406.03946, whose validation and test digits overlap; here validation digits come from the training set.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.actions import warp
from learnsym.data.dataset import Dataset
from learnsym.data.idx import MNIST
from learnsym.data.seeding import generator
from learnsym.data.source import Sizes, Source
from learnsym.groups import O2, SO2, Cyclic, Dihedral, Group

SIDE = 56
HELD_OUT = 6000
"""Training digits kept for validation."""
SPLITS = ("train", "val", "test")
CHUNK = 1024

GROUPS: dict[str, Group] = {
    "c1": Cyclic(1),
    "c4": Cyclic(4),
    "d1": Dihedral(1),
    "d4": Dihedral(4),
    "so2": SO2(),
    "o2": O2(),
}


def double_digits(
    n: int, group: Group, split: str = "train", seed: int = 0, digits: Sequence[int] = range(10)
) -> Dataset:
    """Two digits side by side on a black ground of 56 x 56, each moved by a uniform element of a group of the plane.

    Pairs of labels are uniform; digits are drawn with replacement from those of the split, which share none.

    Args:
        n: number of images.
        group: C_N, D_N, SO(2) or O(2); the planted symmetry of each digit.
        split: `train`, `val` (training digits that `train` leaves out) or `test`.
        seed: determines the draws; the digits of a split do not depend on it.
        digits: labels that occur; `len(digits)²` classes.

    Returns:
        Images `(n, 1, 56, 56)`, labels `len(digits) * left + right`, and the elements drawn as `planted` `(n, 8)`: the
        2 x 2 matrix of the left digit row by row, then that of the right one.

    Raises:
        ValueError: for a group that does not act on the plane, an unknown split, or numbers out of range.
    """
    _check(n, group, split, digits)
    images, labels = _pool(split)
    random = generator(seed, 13, SPLITS.index(split))
    pair = torch.randint(len(digits), (n, 2), generator=random)
    wanted = torch.tensor(list(digits))[pair]
    chosen = torch.stack([_draw(labels, side, random) for side in wanted.T], 1)
    g = group.haar(2 * n, dtype=torch.float64, generator=random).float()
    pixels = images[chosen.flatten()].float()[:, None] / 255
    moved = torch.cat([warp(x, h) for x, h in zip(pixels.split(CHUNK), g.split(CHUNK), strict=True)]).clamp(0.0, 1.0)
    left, right = moved.unflatten(0, (n, 2)).unbind(1)
    x = F.pad(torch.cat([left, right], -1), (0, 0, (SIDE - 28) // 2, (SIDE - 28) // 2))
    names = tuple(f"{first} {second}" for first in digits for second in digits)
    planted, y = g.view(n, 8), pair[:, 0] * len(digits) + pair[:, 1]
    return Dataset(x, y, "double-digits", len(names), names, variant=f"digits moved by {group}", planted=planted)


def _pool(split: str) -> tuple[Tensor, Tensor]:
    """The digits of a split and their labels."""
    pools = MNIST.read(MNIST.sizes, 0)
    pool = pools["test" if split == "test" else "train"]
    if split == "test":
        return pool.x[:, 0], pool.y
    order = torch.randperm(len(pool), generator=generator(0, 17))
    rows = order[:HELD_OUT] if split == "val" else order[HELD_OUT:]
    return pool.x[rows, 0], pool.y[rows]


def _draw(labels: Tensor, wanted: Tensor, random: torch.Generator) -> Tensor:
    """The index of a random digit of each wanted label."""
    order, counts = labels.argsort(stable=True), labels.bincount(minlength=10)
    first = counts.cumsum(0) - counts
    u = torch.rand(len(wanted), dtype=torch.float64, generator=random)
    return order[first[wanted] + (u * counts[wanted]).long()]


def _check(n: int, group: Group, split: str, digits: Sequence[int]) -> None:
    if n < 1 or not digits or not set(digits) <= set(range(10)):
        raise ValueError(f"n, digits: got {n}, {list(digits)}, must be at least 1 and labels in 0 ... 9")
    if group.space != "plane" or group.n != 2:
        raise ValueError(f"group: got {group}, must act on the plane, such as SO(2) or D_4")
    if split not in SPLITS:
        raise ValueError(f"split: got {split!r}, must be one of {', '.join(SPLITS)}")


def _read(group: Group, sizes: Sizes, seed: int) -> dict[str, Dataset]:
    return {split: double_digits(n, group, split, seed) for split, n in zip(SPLITS, sizes, strict=True)}


def _source(key: str, group: Group) -> Source:
    return Source(
        name=f"double-digits-{key}",
        title=f"Two MNIST digits side by side, each moved by {group}; 100 classes, 56x56",
        licence=MNIST.licence,
        sizes=Sizes(10000, 2000, 5000),
        read=partial(_read, group),
        files=MNIST.files,
    )


DOUBLE_DIGITS = tuple(_source(key, group) for key, group in GROUPS.items())
