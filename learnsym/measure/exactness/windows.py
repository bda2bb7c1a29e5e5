"""How an operation places its windows, and the reason when that breaks quarter turns and flips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from learnsym.measure.exactness.rule import centre_offset, reads_mirror

Sides = tuple[int, int]
"""Rows and columns."""
Sizes = int | Sequence[int]
"""What torch takes for two axes."""
Rule = Callable[..., str | None]
"""Takes a grid and the arguments of one of torch's functions; gives the reason why it breaks exactness."""


class Grid(NamedTuple):
    """Where an operation's pixels lie: `sides` of the map, `before` rows and columns of padding in front of it."""

    sides: Sides
    before: Sides
    out: Sides


class Window(NamedTuple):
    """The windows along one axis, in the order of arguments of `centre_offset`."""

    side: int
    count: int
    kernel: int
    stride: int
    before: int
    dilation: int


def windows(grid: Grid, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> list[Window]:
    """The windows along rows and columns."""
    before = [b + p for b, p in zip(grid.before, pair(padding), strict=True)]
    axes = zip(grid.sides, grid.out, pair(kernel), pair(stride), before, pair(dilation), strict=True)
    return [Window(*axis) for axis in axes]


def off_centre(rows: Window, columns: Window) -> str | None:
    """Why windows do not fall on windows when the input is turned or flipped; None when they do."""
    offsets = centre_offset(*rows), centre_offset(*columns)
    if any(offsets):
        return f"{_described(rows, columns)}, {offsets[0]:+g} rows and {offsets[1]:+g} columns off centre"
    return _uneven(rows, columns)


def off_centre_pool(rows: Window, columns: Window) -> str | None:
    """The same for pools, which do not read their padding."""
    if reads_mirror(*rows) and reads_mirror(*columns):
        return _uneven(rows, columns)
    return off_centre(rows, columns)


def pair(sizes: Sizes) -> Sides:
    """The sizes for rows and columns."""
    return (sizes, sizes) if isinstance(sizes, int) else (sizes[0], sizes[-1])


def sides_of(x: Tensor) -> Sides:
    """Rows and columns of a map or of a kernel."""
    return x.shape[-2], x.shape[-1]


def _uneven(rows: Window, columns: Window) -> str | None:
    # by how much a window moves, and how far the first one reaches out of the map
    placed = [(w.stride, 2 * w.before - w.dilation * (w.kernel - 1)) for w in (rows, columns)]
    return None if placed[0] == placed[1] else f"{_described(rows, columns)}, placed unlike along rows and columns"


def _described(rows: Window, columns: Window) -> str:
    kernel, stride, side = (f"{getattr(rows, name)}×{getattr(columns, name)}" for name in ("kernel", "stride", "side"))
    return f"{kernel} windows at stride {stride} on {side} pixels"
