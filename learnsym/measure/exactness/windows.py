"""When a sliding window breaks quarter turns and flips: the rule for one axis, and the reason for both.

Legend of symbols: `i` side of the input, `n` of the output, `k` kernel, `s` stride, `p` padding, `d` dilation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

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


def strided_is_exact(side: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> bool:
    """Whether a strided operation on a square input commutes with quarter turns and flips.

    The windows leave nothing unread at the end, and so lie as far from one border as from the other:

        (i + 2p - d(k-1) - 1) mod s = 0

    For a convolution the filters must be symmetric, or a bank that is closed under the group; then the rule is both
    necessary and sufficient.

    Args:
        side: `i`, pixels along each axis of the input.
        kernel: `k`, taps along each axis.
        stride: `s`, pixels.
        padding: `p`, pixels added on every side.
        dilation: `d`, pixels between taps.

    Raises:
        ValueError: for a stride below 1, or when no window fits.

    Reference:
        Edixhoven, Lengyel and van Gemert 2023, arXiv 2308.11316.

    Example:
        >>> [side for side in range(28, 36) if ls.measure.strided_is_exact(side, kernel=3, stride=2, padding=1)]
        [29, 31, 33, 35]
    """
    if stride < 1:
        raise ValueError(f"stride: got {stride}, must be >= 1 pixel")
    room = side + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(
            f"side: got {side}, must be >= {side - room} for kernel {kernel}, padding {padding} and dilation {dilation}"
        )
    return room % stride == 0


def centre_offset(side: int, count: int, kernel: int, stride: int, before: int, dilation: int) -> float:
    """How far the centre of `count` windows lies behind the centre of an axis, in pixels.

        ((n-1)s + d(k-1)) / 2 - b - (i-1) / 2

    with `b` pixels of padding before the first one. For equal padding on both sides and `n` the number of windows
    that fit this is `-r/2`, with `r` the remainder of `strided_is_exact`.
    """
    return ((count - 1) * stride + dilation * (kernel - 1) - side + 1) / 2 - before


def reads_mirror(side: int, count: int, kernel: int, stride: int, before: int, dilation: int) -> bool:
    """Whether window `o` reads the mirror image of the pixels of window `n-1-o`, where padding is never read.

    The rule of pools: it follows from a centre offset of 0, and also holds for a few tiny maps (`n <= 2`) of which
    padded windows see all there is.
    """
    starts = range(-before, count * stride - before, stride)
    reads = [[q for q in range(a, a + dilation * kernel, dilation) if 0 <= q < side] for a in starts]
    return reads == [[side - 1 - q for q in reversed(window)] for window in reversed(reads)]


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
