"""Operations of torch that slide a window: why one breaks quarter turns and flips, None where it does not.

Each rule bears the name and the arguments of its function in `torch.nn.functional`, behind the grid on which it works.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
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


windowed: dict[Callable, Rule] = {
    F.conv2d: conv2d,
    F.max_pool2d: max_pool2d,
    F.max_pool2d_with_indices: max_pool2d,
    torch.max_pool2d: max_pool2d,
    F.avg_pool2d: avg_pool2d,
    F.lp_pool2d: lp_pool2d,
    F.unfold: unfold,
}


def _pooled(grid: Grid, input: Tensor) -> Callable[[Window, Window], str | None]:
    # a pool reads padding that was added before it, not its own
    return off_centre_pool if grid.sides == sides_of(input) else off_centre


def _named_padding(name: str, kernel: Sides, dilation: Sides) -> Sides:
    # of an odd total, "same" adds the larger half behind
    rows, columns = (d * (k - 1) // 2 if name == "same" else 0 for k, d in zip(kernel, dilation, strict=True))
    return rows, columns
