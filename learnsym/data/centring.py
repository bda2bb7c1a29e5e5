"""Clouds of points with their mean position in the origin, so that networks need not know of translations.

Legend of axes: `B` clouds, `N` points, `F` numbers per point.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from learnsym.actions import PointVectors
from learnsym.data.dataset import Dataset


def centred(dataset: Dataset) -> Dataset:
    """The same clouds, with positions less their mean.

    Raises:
        ValueError: for data that are no clouds, or targets that translations move.
    """
    if dataset.on_input is None or not isinstance(dataset.on_output, PointVectors) or not isinstance(dataset.x, Tensor):
        raise ValueError(
            f"data.centred: got true for {dataset.name}, takes clouds of points whose targets translations leave in "
            "place, such as molecules; leave it out"
        )
    positions, vectors, scalars = dataset.on_input.split(dataset.x)
    return replace(dataset, x=dataset.on_input.join(positions - positions.mean(1, keepdim=True), vectors, scalars))
