"""The order of the axes of an array: told from their sizes where that can be, asked for where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from learnsym.data.own.reading import Layout
from learnsym.data.rows import Rows

CHANNELS = (1, 2, 3, 4)
"""Numbers of channels that pictures and scans have."""
SIDE = 4
"""Pixels of the smallest side of an image."""
WORDS: dict[Layout, str] = {
    "table": "rows of numbers",
    "cloud": "clouds (points, numbers)",
    "nhw": "images (rows, columns), which get one channel",
    "nhwc": "images (rows, columns, channels)",
    "nchw": "images (channels, rows, columns)",
    "ndhw": "volumes (slices, rows, columns), which get one channel",
    "ndhwc": "volumes (slices, rows, columns, channels)",
    "ncdhw": "volumes (channels, slices, rows, columns)",
}
AXES = {layout: {"table": 2, "cloud": 3}.get(layout, len(layout)) for layout in WORDS}
"""Number of axes of each layout."""


def layout_of(shape: Sequence[int], whole_numbers: bool, layout: Layout | None = None) -> Layout:
    """The layout of an array, which is checked where it is given.

    Args:
        shape: of the array, examples first.
        whole_numbers: whether it holds bytes or truth values, which no clouds are made of.
        layout: what was said.

    Raises:
        ValueError: when it does not fit the number of axes, or cannot be told from the sizes.

    Example:
        >>> from learnsym.data.own.layout import layout_of
        >>> layout_of((100, 28, 28, 1), True), layout_of((100, 3, 32, 32), True)
        ('nhwc', 'nchw')
    """
    if layout is not None:
        _check(layout, shape)
        return layout
    possible = candidates(shape, whole_numbers)
    if not possible:
        raise ValueError(f"x: got shape {tuple(shape)}, must have 2 to 5 axes, examples first; reshape it")
    if len(possible) > 1:
        raise ValueError(
            f"data.layout: the order of the axes of an array of shape {tuple(shape)} cannot be told from their sizes; "
            f"give --data.layout {' or '.join(possible)} ({'; '.join(f'{each}: {WORDS[each]}' for each in possible)})"
        )
    return possible[0]


def candidates(shape: Sequence[int], whole_numbers: bool) -> list[Layout]:
    """The layouts that an array of this shape may have, one where its sizes tell."""
    if len(shape) == 2:
        return ["table"]
    if len(shape) == 3:
        return ["nhw"] if whole_numbers or _is_image(shape) else ["nhw", "cloud"]
    if len(shape) == 4:
        return _with_channels(shape, "nchw", "nhwc") or (["ndhw"] if _is_cube(shape) else ["nchw", "nhwc", "ndhw"])
    if len(shape) == 5:
        return _with_channels(shape, "ncdhw", "ndhwc") or ["ncdhw", "ndhwc"]
    return []


def arranged(x: Tensor | Rows, layout: Layout) -> Tensor | Rows:
    """The same examples as the library has them: `(N, C, H, W)` or `(N, C, D, H, W)`; tables and clouds as they are."""
    if layout in ("table", "cloud", "nchw", "ncdhw"):
        return x
    return x.then(partial(_arranged, layout=layout)) if isinstance(x, Rows) else _arranged(x, layout)


def _arranged(x: Tensor, layout: Layout) -> Tensor:
    if "c" not in layout:
        return x.unsqueeze(1)
    return x.movedim(layout.index("c"), 1).contiguous()


def _check(layout: Layout, shape: Sequence[int]) -> None:
    if AXES[layout] != len(shape):
        fit = [each for each in WORDS if AXES[each] == len(shape)]
        remedy = f"give {' or '.join(fit)}" if fit else "reshape it"
        raise ValueError(
            f"data.layout: got {layout} for an array of shape {tuple(shape)}, which has {len(shape)} axes and not "
            f"{AXES[layout]}; {remedy}"
        )


def _is_image(shape: Sequence[int]) -> bool:
    """Whether no cloud of points has this shape: its last axis is long, or as long as the one before."""
    return min(shape[1:]) >= SIDE and (shape[2] > 16 or shape[1] == shape[2])


def _is_cube(shape: Sequence[int]) -> bool:
    return len(set(shape[1:])) == 1


def _with_channels(shape: Sequence[int], first: Layout, last: Layout) -> list[Layout]:
    sides: dict[Layout, tuple[int, Sequence[int]]] = {
        first: (shape[1], shape[2:]),
        last: (shape[-1], shape[1:-1]),
    }
    return [layout for layout, (channels, lengths) in sides.items() if channels in CHANNELS and min(lengths) >= SIDE]
