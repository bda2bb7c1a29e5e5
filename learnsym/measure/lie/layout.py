"""Layout: where the pixels of a feature map lie in a tensor.

A feature map may be stored as `B C H W`, as `B H W C`, as tokens with class tokens in front, or as windows of tokens.
Each axis of the tensor is a product of factors; a factor is a part of the batch, of the channels, of the rows or of the
columns.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import torch
from torch import Tensor

BATCH, CHANNELS, ROWS, COLUMNS = "B", "C", "H", "W"
SPACE = (ROWS, COLUMNS)


@dataclass(frozen=True)
class Factor:
    """A part of an axis: `size` steps of `stride` along what `kind` names; strides count within one kind."""

    kind: str
    size: int
    stride: int = 1


@dataclass(frozen=True)
class Axis:
    """One axis of a tensor: a product of factors, outermost first, behind `prefix` entries that do not move."""

    factors: tuple[Factor, ...]
    prefix: int = 0

    @property
    def size(self) -> int:
        """Length of the axis."""
        return self.prefix + math.prod(factor.size for factor in self.factors)

    @property
    def kinds(self) -> set[str]:
        """What its factors are parts of."""
        return {factor.kind for factor in self.factors}


@dataclass(frozen=True)
class Layout:
    """Which axes of a tensor are rows and columns of a grid, and in which order they are stored.

    Args:
        axes: one per axis of the tensor.
        shift: rows and columns by which the grid was rolled.

    Example:
        >>> layout = ls.measure.Layout.parse("B (1 + H W) C", (2, 10, 5), grid=(3, 3))
        >>> layout.to_grid(torch.zeros(2, 10, 5)).shape
        torch.Size([2, 5, 3, 3])
    """

    axes: tuple[Axis, ...]
    shift: tuple[int, int] = (0, 0)

    @staticmethod
    def of(kinds: str, shape: torch.Size | tuple[int, ...]) -> Layout:
        """A layout of plain axes, such as `of("BCHW", x.shape)`."""
        return Layout(tuple(Axis((Factor(kind, size),)) for kind, size in zip(kinds, shape, strict=True)))

    @staticmethod
    def parse(pattern: str, shape: torch.Size | tuple[int, ...], grid: tuple[int, int] | None = None) -> Layout:
        """The layout that a pattern describes, for a tensor of a given shape.

        Args:
            pattern: one word per axis: `B`, `C`, `H`, `W`, or a product in brackets, `(H W)` or `(1 + H W)` with that
                many entries in front which do not move. `B C` stands for features without a grid.
            shape: of the tensor.
            grid: rows and columns, needed when they share an axis and are not equally many.

        Raises:
            ValueError: when the pattern does not fit the shape.
        """
        words = re.findall(r"\([^)]*\)|\S+", pattern)
        if len(words) != len(shape):
            raise ValueError(f"layouts: got {pattern!r} for shape {tuple(shape)}, must have one word per axis")
        layout = Layout(tuple(_parsed(word, size, grid) for word, size in zip(words, shape, strict=True)))
        if layout.shape != tuple(shape):
            raise ValueError(
                f"layouts: {pattern!r} describes shape {layout.shape}, got {tuple(shape)}; give grid=(rows, columns)"
            )
        return layout

    @staticmethod
    def windows(
        grid: tuple[int, int], window: int, batch: int, channels: int, shift: tuple[int, int] = (0, 0)
    ) -> Layout:
        """Windows of tokens `(B · H/w · W/w, w², C)`, as shifted-window attention has them, rolled by `shift` before.

        Example:
            >>> ls.measure.Layout.windows((8, 8), window=4, batch=2, channels=3).shape
            (8, 16, 3)
        """
        rows, columns = (Factor(kind, size // window, window) for kind, size in zip(SPACE, grid, strict=True))
        inner = tuple(Factor(kind, window) for kind in SPACE)
        outer = Axis((Factor(BATCH, batch), rows, columns))
        return Layout((outer, Axis(inner), Axis((Factor(CHANNELS, channels),))), shift)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensors that it describes."""
        return tuple(axis.size for axis in self.axes)

    @property
    def has_grid(self) -> bool:
        """Whether there are pixels at all."""
        return any(axis.kinds & set(SPACE) for axis in self.axes)

    @property
    def kinds(self) -> str:
        """The kind of each axis, `?` for an axis that is a product or has a prefix."""
        return "".join(_kind(axis) for axis in self.axes)

    def to_grid(self, t: Tensor) -> Tensor:
        """The pixels as `(B, C, H, W)`; what lies in front of them on its axis is left out."""
        for dim, axis in enumerate(self.axes):
            t = t.narrow(dim, axis.prefix, axis.size - axis.prefix)
        grid = t.reshape([factor.size for factor in self._factors]).permute(self._order).reshape(self._grid_shape)
        return grid.roll((-self.shift[0], -self.shift[1]), (2, 3)) if any(self.shift) else grid

    def from_grid(self, grid: Tensor) -> Tensor:
        """The inverse of `to_grid`, with zeros in front."""
        if any(self.shift):
            grid = grid.roll(self.shift, (2, 3))
        inverse = sorted(range(len(self._order)), key=self._order.__getitem__)
        t = grid.reshape([self._factors[place].size for place in self._order]).permute(inverse)
        t = t.reshape([axis.size - axis.prefix for axis in self.axes])
        for dim, axis in enumerate(self.axes):
            if axis.prefix:
                t = torch.cat([t.new_zeros([*t.shape[:dim], axis.prefix, *t.shape[dim + 1 :]]), t], dim)
        return t

    def by_example(self, t: Tensor) -> Tensor:
        """A tensor of this layout with one row per example."""
        dim = next((dim for dim, axis in enumerate(self.axes) if BATCH in axis.kinds), None)
        if dim is None:  # factors of one do not survive a reshape
            return t.reshape(1, -1)
        batch = math.prod(factor.size for factor in self.axes[dim].factors if factor.kind == BATCH)
        return t.movedim(dim, 0).reshape(batch, -1)

    @property
    def _factors(self) -> list[Factor]:
        return [factor for axis in self.axes for factor in axis.factors]

    @property
    def _order(self) -> list[int]:
        """Places of the factors as they are wanted: batch, channels as they stand, rows and columns coarse to fine."""
        factors = self._factors
        ranks = [("BCHW".index(f.kind), -f.stride if f.kind in SPACE else 0, place) for place, f in enumerate(factors)]
        return sorted(range(len(factors)), key=ranks.__getitem__)

    @property
    def _grid_shape(self) -> list[int]:
        return [math.prod(factor.size for factor in self._factors if factor.kind == kind) for kind in "BCHW"]

    def with_axes(self, axes: tuple[Axis, ...] | list[Axis]) -> Layout:
        """The same with other axes."""
        return replace(self, axes=tuple(axes))


def _kind(axis: Axis) -> str:
    return axis.factors[0].kind if len(axis.factors) == 1 and not axis.prefix else "?"


def _parsed(word: str, size: int, grid: tuple[int, int] | None) -> Axis:
    count, plus, rest = word.strip("()").rpartition("+")
    prefix = int(count) if plus and count.strip().isdecimal() else 0
    names = rest.split()
    if not names or any(name not in (BATCH, CHANNELS, *SPACE) for name in names) or (plus and not prefix):
        raise ValueError(f"layouts: got the word {word!r}, must be B, C, H, W, (H W) or (1 + H W)")
    if len(names) == 1:
        return Axis((Factor(names[0], size - prefix),), prefix)
    side = math.isqrt(size - prefix)
    sizes: dict[str, int] = dict(zip(SPACE, grid or (side, side), strict=True))
    if not set(names) <= set(SPACE):
        raise ValueError(f"layouts: got the word {word!r}, a product may hold only H and W")
    return Axis(tuple(Factor(name, sizes[name]) for name in names), prefix)
