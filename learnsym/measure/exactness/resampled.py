"""Operations of torch that resize, pad or sample: why one breaks quarter turns and flips, None where it does not.

Each rule bears the name and the arguments of its function in `torch.nn.functional`, behind the grid on which it works.
`pixel_shuffle` and `pixel_unshuffle` cut a map into equal parts and break nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.exactness.windows import Grid, Rule, Sides, Sizes, off_centre, sides_of, windows


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


def _coordinates(sides: Sides, device: torch.device) -> Float[Tensor, "1 2 H W"]:
    """An image of the rows and one of the columns, counted from the centre."""
    axes = [torch.arange(side, dtype=torch.float32, device=device) - (side - 1) / 2 for side in sides]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))[None]
