"""Bring images to the size that an experiment asks for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.inputs import as_float
from learnsym.data.rows import Rows


def fit(dataset: Dataset, size: int | None) -> Dataset:
    """Images whose shorter side is `size`: larger ones are scaled down (antialiased), smaller ones padded with zeros.

    Padding is centred and leaves pixel values alone. Label maps are scaled with the nearest pixel and padded with the
    label for "no label". None keeps the images as they are.
    """
    height, width = dataset.moving.shape[-2:]
    if size is None or size == min(height, width):
        return dataset
    if size < min(height, width):
        shape = (round(height * size / min(height, width)), round(width * size / min(height, width)))
        return replace(dataset, x=_each(dataset.x, partial(_scaled, shape=shape)), y=_scale_map(dataset.y, shape))
    margin = _margin(height, width, size)
    y = dataset.y if dataset.y.ndim < 3 else F.pad(dataset.y, margin, value=_void(dataset))
    return replace(dataset, x=_each(dataset.x, partial(F.pad, pad=margin)), y=y)


def fit_any(dataset: Dataset, size: int | None) -> Dataset:
    """Examples of any kind at a size: images by `fit`, volumes by means of voxels; others have none.

    Raises:
        ValueError: when a size is asked for that they cannot have.
    """
    if size is None:
        return dataset
    x = dataset.x
    if isinstance(x, Tensor | Rows) and x.ndim == 4:
        return fit(dataset, size)
    if isinstance(x, Tensor | Rows) and x.ndim == 5 and dataset.y.ndim < 3:
        if size > min(x.shape[2:]):
            raise ValueError(
                f"data.size: got {size}, must be at most {min(x.shape[2:])} for the volumes {dataset.name}"
            )
        return replace(dataset, x=_each(x, partial(_averaged, size=size)))
    raise ValueError(f"data.size: got {size}, {dataset.name} is no set of images; set data.size to null")


def inscribe(dataset: Dataset, size: int | None) -> Dataset:
    """Images scaled up so that a rotation by any angle keeps every pixel in view, on a black ground of `size` x `size`.

    The side becomes the largest `m` of the parity of `size` with `m sqrt(2) <= size`; bicubic, clamped to [0, 1].
    """
    size = 28 if size is None else size
    side = math.floor(size / math.sqrt(2.0))
    side -= (size - side) % 2
    if side < 2:
        raise ValueError(f"size: got {size}, must be >= 4; use 28 to see the digits well")
    x = F.interpolate(as_float(dataset.x), (side, side), mode="bicubic", antialias=True, align_corners=False)
    return replace(dataset, x=F.pad(x.clamp(0.0, 1.0), ((size - side) // 2,) * 4))


def _each(x: Tensor | Rows, step: Callable[[Tensor], Tensor]) -> Tensor | Rows:
    """Images in memory changed now, those of a file when they are read."""
    return x.then(step) if isinstance(x, Rows) else step(x)


def _scaled(x: Tensor, shape: tuple[int, int]) -> Tensor:
    return F.interpolate(as_float(x), shape, mode="bilinear", antialias=True, align_corners=False)


def _averaged(x: Tensor, size: int) -> Tensor:
    return F.adaptive_avg_pool3d(as_float(x), size)


def _margin(height: int, width: int, size: int) -> tuple[int, int, int, int]:
    across, down = max(size - width, 0), max(size - height, 0)
    return across // 2, across - across // 2, down // 2, down - down // 2


def _scale_map(y: Tensor, shape: tuple[int, int]) -> Tensor:
    if y.ndim < 3:
        return y
    return F.interpolate(y[:, None].float(), shape, mode="nearest-exact")[:, 0].to(torch.long)


def _void(dataset: Dataset) -> int:
    if dataset.ignore is None:
        raise ValueError(f"size: cannot pad the label maps of {dataset.name}, without `ignore` label; set size to null")
    return dataset.ignore
