"""Plant a known symmetry in a data set: move each example once by a transformation drawn from a stated law."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from learnsym.actions import LabelMap
from learnsym.data.config import PlantConfig
from learnsym.data.dataset import Dataset
from learnsym.data.moving import elements, move
from learnsym.data.rows import Rows
from learnsym.data.seeding import generator

CHUNK = 1024


def plant(dataset: Dataset, law: PlantConfig, seed: int) -> Dataset:
    """Move each example by `g = exp(a) F`: a left-right reflection `F`, then a similarity.

    Each image is resampled once, bilinearly, with zeros from outside; label maps move along, with the nearest label.

    Args:
        dataset: images `(N, C, H, W)`.
        law: the law of the coordinates.
        seed: determines the draws.

    Returns:
        The moved examples, with the drawn coordinates as `planted` `(N, 5)` in the order and units of `moving.COLUMNS`.

    Raises:
        ValueError: when the inputs are no images, or a symmetry has been planted already.

    Example:
        >>> law = ls.data.PlantConfig(rotation=60.0)
        >>> moved = ls.data.plant(ls.data.blobs(8), law, seed=0)
        >>> bool(moved.planted[:, 2].abs().max() <= 60.0)
        True
    """
    if not isinstance(dataset.x, Tensor):
        what = "stay in their file, since they are many" if isinstance(dataset.x, Rows) else "are several inputs"
        raise ValueError(f"data.plant: the examples of {dataset.name} {what}; plant nothing, or lower data.train")
    if dataset.x.ndim != 4:
        raise ValueError(f"dataset: inputs of {dataset.name} are {dataset.in_shape}, must be images (C, H, W)")
    if dataset.planted is not None:
        raise ValueError(f"dataset: {dataset.name} has a planted symmetry already; moving twice would blur it twice")
    planted = draw_coordinates(law, len(dataset), generator(seed, 11))
    x = torch.cat([move(image, a) for image, a in zip(dataset.inputs.split(CHUNK), planted.split(CHUNK), strict=True)])
    return replace(dataset, x=x, y=_move_maps(dataset, planted), planted=planted)


def draw_coordinates(law: PlantConfig, n: int, random: torch.Generator) -> Tensor:
    """Draws `(n, 5)` from a law, in the order and units of `moving.COLUMNS`."""
    widths = torch.tensor([law.translation, law.translation, law.rotation, law.scale])
    if law.law == "normal":
        noise = torch.randn(n, 4, generator=random)
    else:
        noise = 2.0 * torch.rand(n, 4, generator=random) - 1.0
    mode = torch.tensor(law.modes)[torch.randint(len(law.modes), (n,), generator=random)]
    flip = (torch.rand(n, 1, generator=random) < law.flip).float()
    a = widths * noise
    a[:, 2] += mode
    return torch.cat([a, flip], 1)


def _move_maps(dataset: Dataset, planted: Tensor) -> Tensor:
    if dataset.y.ndim < 3:
        return dataset.y
    if dataset.ignore is None:
        raise ValueError(f"dataset: {dataset.name} has label maps without a label for 'no label'; set `ignore`")
    return LabelMap(fill=dataset.ignore)(elements(planted), dataset.y)
