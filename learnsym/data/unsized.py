"""Data without a size in pixels."""

from __future__ import annotations

from learnsym.data.dataset import Dataset


def unsized(dataset: Dataset, size: int | None) -> Dataset:
    """The examples as they are: points cannot be scaled to `size` pixels.

    Raises:
        ValueError: when a size is asked for.
    """
    if size is not None:
        raise ValueError(f"data.size: got {size}, {dataset.name} holds points and has no size; set data.size to null")
    return dataset
