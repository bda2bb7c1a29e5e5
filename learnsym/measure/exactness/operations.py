"""Operations of torch that slide a window, resize, pad, sample or slice: why one breaks quarter turns and flips.

Each rule bears the name and the arguments of its function in `torch.nn.functional`, behind the grid on which it works,
and gives None where nothing breaks. `pixel_shuffle` and `pixel_unshuffle` cut a map into equal parts and break nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.exactness.windows import (
    Grid,
    Rule,
    Sides,
    Sizes,
    Window,
    off_centre,
    off_centre_pool,
    pair,
    sides_of,
    windows,
)


def conv2d(
    grid: Grid,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> str | None:
    kernel = sides_of(weight)
    before = _named_padding(padding, kernel, pair(dilation)) if isinstance(padding, str) else padding
    return off_centre(*windows(grid, kernel, stride, before, dilation))


def max_pool2d(
    grid: Grid,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> str | None:
    return _pooled(grid, input)(*windows(grid, kernel_size, stride or kernel_size, padding, dilation))


def avg_pool2d(
    grid: Grid,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> str | None:
    # a window that reaches beyond the padding is divided by less than the others
    why = off_centre if ceil_mode and count_include_pad else _pooled(grid, input)
    return why(*windows(grid, kernel_size, stride or kernel_size, padding, 1))


def lp_pool2d(
    grid: Grid,
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> str | None:
    # computed as an average
    return avg_pool2d(grid, input, kernel_size, stride, 0, ceil_mode)


def unfold(
    grid: Grid,
    input: Tensor,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> str | None:
    axes = zip(sides_of(input), pair(kernel_size), pair(stride), pair(padding), pair(dilation), strict=True)
    rows, columns = ((i + 2 * p - d * (k - 1) - 1) // s + 1 for i, k, s, p, d in axes)
    return off_centre(*windows(grid._replace(out=(rows, columns)), kernel_size, stride, padding, dilation))


def conv_transpose2d(
    grid: Grid,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> str | None:
    # each pixel of the input writes a window of the output
    written = Grid(sides=grid.out, before=(0, 0), out=sides_of(input))
    return off_centre(*windows(written, sides_of(weight), stride, padding, dilation))


def adaptive_pool2d(
    grid: Grid, input: Tensor, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> str | None:
    if isinstance(output_size, int | None) or output_size[0] == output_size[-1]:
        return None
    return f"{output_size[0]}×{output_size[-1]} outputs, also of a turned input"


def interpolate(
    grid: Grid,
    input: Tensor,
    size: Sizes | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> str | None:
    if input.ndim != 4:
        return None
    resized = f"{mode}, {grid.sides[0]}×{grid.sides[1]} to {grid.out[0]}×{grid.out[1]} pixels"
    if grid.sides[0] == grid.sides[1] and grid.out[0] != grid.out[1]:
        return f"{resized}, unlike along rows and columns"
    ramps = _coordinates(grid.sides, input.device)
    read = F.interpolate(ramps, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)
    off = float((read + read.flip(-2, -1)).abs().max())
    # single precision knows coordinates to well below a thousandth of a pixel
    return None if off < 1e-3 else f"{resized}, some read {off:.3g} pixels from the mirror image of their counterparts"


def grid_sample(grid: Grid, input: Tensor, *args: object, **options: object) -> str | None:
    return "reads wherever its second argument says, which is not decided here"


def fractional_max_pool2d(grid: Grid, input: Tensor, *args: object, **options: object) -> str | None:
    return "draws its windows at random"


windowed: dict[Callable, Rule] = {
    F.conv2d: conv2d,
    F.max_pool2d: max_pool2d,
    F.max_pool2d_with_indices: max_pool2d,
    torch.max_pool2d: max_pool2d,
    F.avg_pool2d: avg_pool2d,
    F.lp_pool2d: lp_pool2d,
    F.unfold: unfold,
}
resampled: dict[Callable, Rule] = {
    F.conv_transpose2d: conv_transpose2d,
    F.adaptive_avg_pool2d: adaptive_pool2d,
    F.adaptive_max_pool2d: adaptive_pool2d,
    F.adaptive_max_pool2d_with_indices: adaptive_pool2d,
    F.interpolate: interpolate,
    F.grid_sample: grid_sample,
    F.fractional_max_pool2d: fractional_max_pool2d,
    F.fractional_max_pool2d_with_indices: fractional_max_pool2d,
}


def uneven(pad: Sequence[int]) -> str | None:
    """Why padding a map breaks quarter turns and flips: it adds more on one border than on another."""
    (top, left), (bottom, right) = borders(pad)
    if top == bottom == left == right:
        return None
    return f"adds {top} rows above and {bottom} below, {left} columns on the left and {right} on the right"


def borders(pad: Sequence[int]) -> tuple[Sides, Sides]:
    """Rows and columns added before the map, and behind it."""
    left, right, top, bottom = [*pad, 0, 0, 0, 0][:4]
    return (top, left), (bottom, right)


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
    distinct = set(cuts)
    return all(moved in distinct for cut in distinct for moved in _moved(cut))


def _pooled(grid: Grid, input: Tensor) -> Callable[[Window, Window], str | None]:
    # a pool reads padding that was added before it, not its own
    return off_centre_pool if grid.sides == sides_of(input) else off_centre


def _named_padding(name: str, kernel: Sides, dilation: Sides) -> Sides:
    # of an odd total, "same" adds the larger half behind
    rows, columns = (d * (k - 1) // 2 if name == "same" else 0 for k, d in zip(kernel, dilation, strict=True))
    return rows, columns


def _coordinates(sides: Sides, device: torch.device) -> Float[Tensor, "1 2 H W"]:
    """An image of the rows and one of the columns, counted from the centre."""
    axes = [torch.arange(side, dtype=torch.float32, device=device) - (side - 1) / 2 for side in sides]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))[None]


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
