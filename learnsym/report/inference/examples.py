"""Which examples an inference looks at: some of all that there are, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data import DataConfig, Dataset, load_splits
from learnsym.data.inputs import as_float, taken

LEAST = 40
"""Examples below which nothing can be told."""


@dataclass(frozen=True)
class Examples:
    """Examples, their targets where there are any, and what the points of clouds carry.

    Args:
        x: `(N, ...)` as floats.
        y: targets; None when there are none, or when they move with the points of clouds.
        name: what they are called.
        available: of how many they were taken.
        points: what points carry; None for data that are no clouds.
        notes: what was guessed when they were read.
    """

    x: Tensor
    y: Tensor | None
    name: str
    available: int
    points: PointCloud | None = None
    notes: tuple[str, ...] = ()


def examples_of(parts: Sequence[Dataset], name: str, most: int, seed: int) -> Examples:
    """At most `most` examples of data sets of one kind, at random; none but these are read.

    Raises:
        ValueError: when there are too few, or they are pictures of the sphere.
    """
    available, first = sum(len(part) for part in parts), parts[0]
    if available < LEAST:
        raise ValueError(f"x: got {available} examples, must be {LEAST} or more; take more data")
    if first.on_sphere:
        raise ValueError(
            f"x: {name} are pictures of the sphere, while all candidates move the plane; take `learnsym train "
            "sphere/digits`, whose learned twin finds a range of rotations"
        )
    rows = torch.randperm(available, generator=torch.Generator().manual_seed(seed))[:most]
    x, y, start = [], [], 0
    for part in parts:
        mine = rows[(rows >= start) & (rows < start + len(part))] - start
        moving = as_float(taken(part.moving, mine))
        assert isinstance(moving, Tensor)  # since it is one part
        x.append(moving.float())
        y.append(part.y[mine])
        start += len(part)
    has_labels = first.has_targets and first.on_output is None
    # rows of one part after those of another are in the order of the permutation no more, which no method needs
    return Examples(
        torch.cat(x), _column(torch.cat(y)) if has_labels else None, name, available, first.on_input, first.notes
    )


def examples_of_config(config: DataConfig, most: int, seed: int) -> Examples:
    """Examples of all splits of what a config names."""
    splits = load_splits(config)
    return examples_of((splits.train, splits.val, splits.test), config.title, most, seed)


def _column(y: Tensor) -> Tensor:
    return y.squeeze(1) if y.dim() == 2 and y.shape[1] == 1 else y
