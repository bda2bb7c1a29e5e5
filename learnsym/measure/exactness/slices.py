"""Slices of maps, such as `x[..., ::2, ::2]`: which pixels they take, and whether a flip takes them to one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor

from learnsym.measure.exactness.windows import Sides


class Cut(NamedTuple):
    """The rows and columns that a slice takes of a map."""

    sides: Sides
    rows: range
    columns: range

    def __str__(self) -> str:
        return f"{len(self.rows)}×{len(self.columns)} of {self.sides[0]}×{self.sides[1]} pixels"


def cut_of(x: Tensor, index: object) -> Cut | None:
    """What an index takes of maps; None unless it takes parts of two neighbouring axes of a real `(B, ?, ?, ?)`.

    A slice of one axis alone is most often of channels or tokens, and one of a complex tensor of frequencies.
    """
    parts = [part for part in (index if isinstance(index, tuple) else (index,)) if part is not None]
    if x.ndim != 4 or x.is_complex() or not all(isinstance(part, slice) or part is Ellipsis for part in parts):
        return None
    slices = _per_axis(parts, x.ndim)
    taken = [(side, range(side)[part]) for side, part in zip(x.shape, slices, strict=True)]
    for (height, rows), (width, columns) in pairwise(taken):
        if len(rows) < height and len(columns) < width:
            return Cut(sides=(height, width), rows=rows, columns=columns)
    return None


def closed(cuts: Iterable[Cut]) -> bool:
    """Whether turns and flips of a map take the cuts to one another."""
    found = set(cuts)
    return all(moved in found for cut in found for moved in _moved(cut))


def _per_axis(parts: Sequence, ndim: int) -> list[slice]:
    at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    missing = [slice(None)] * (ndim - len(parts) + (Ellipsis in parts))
    return [*parts[:at], *missing, *parts[at + 1 :]]


def _moved(cut: Cut) -> list[Cut]:
    (height, width), rows, columns = cut
    flips = [Cut(cut.sides, _mirrored(rows, height), columns), Cut(cut.sides, rows, _mirrored(columns, width))]
    return flips + [Cut(cut.sides, columns, rows)] * (height == width)


def _mirrored(taken: range, side: int) -> range:
    return range(side - 1 - taken[-1], side - taken[0], taken.step) if taken else taken
