"""Readout: noise with a direction, which all pixels of a line share.

The level of each line is taken from pixels outside of a disc, and subtracted, where the halves of lines share a level
along one axis, and much less so along another: pictures that go on to the border do so along all. The level of few
pixels is noise itself, so that some is left; levels as large of lines at random angles hide it. Otherwise examples stay
as they are. Legend of axes: `B` examples, `C` channels, `*S` size of the image.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image, Volume
from learnsym.measure.pose.centre import axes_of
from learnsym.measure.pose.nuisances.place import random_turns, turned

DISC = 0.8
"""Radius in half sides outside of which lines show their level."""
SHARED = 0.2
"""Correlation of the two halves of lines from which they share levels."""


def levelled(action: Image | Volume, x: Float[Tensor, "B C *S"], random: torch.Generator) -> Float[Tensor, "B C *S"]:
    """Each line less its level, and as much of lines at random angles; all as it is where lines share no level."""
    share = {axis: shared(x, axis) for axis in range(2, x.dim())}
    for axis, value in share.items():
        if value > max(SHARED, 2 * min(share.values())):
            level = levels(x, axis)
            x = x - level + level.std() * lines(action, x, random)
    return x


def lines(action: Image | Volume, x: Float[Tensor, "B C *S"], random: torch.Generator) -> Float[Tensor, "B C *S"]:
    """Levels of standard deviation 1 that the pixels of lines share, at an angle of its own for each example."""
    size = (*x.shape[:3], *[1] * (x.dim() - 3))
    rows = torch.randn(size, generator=random).to(x).expand(x.shape)
    found = turned(action, rows, random_turns(len(x), x.dim() - 2, random).to(x))
    return found / found.std()


def shared(x: Float[Tensor, "B C *S"], axis: int) -> float:
    """Correlation, over examples, of the steps from line to line across an axis in the two halves of the lines.

    Steps, as what objects and light add changes little from one line to the next.
    """
    across = x.dim() - 1 if axis != x.dim() - 1 else x.dim() - 2
    half = x.shape[across] // 2
    outside = _outside(x)
    parts = [outside.narrow(across, 0, half), outside.narrow(across, x.shape[across] - half, half)]
    steps = [part.movedim(axis, 2).flatten(3).nanmean(3).diff(dim=2) for part in parts]
    seen = (steps[0] + steps[1]).isfinite().all(0).all(0)
    first, second = (step[..., seen] - step[..., seen].mean(0) for step in steps)
    spread = (first.square().mean() * second.square().mean()).sqrt()
    return float((first * second).mean() / spread.clamp(min=1e-12))


def levels(x: Float[Tensor, "B C *S"], axis: int) -> Tensor:
    """Median of the pixels outside of the disc of each line across an axis, which is kept with length 1."""
    median = _outside(x).movedim(axis, 2).flatten(3).nanmedian(3).values.nan_to_num()
    return median.view(*median.shape, *[1] * (x.dim() - 3)).movedim(2, axis)


def named(x: Tensor) -> str:
    """The noise in words."""
    spread = {axis: float(levels(x, axis).std()) for axis in range(2, x.dim())}
    axis = max(spread, key=lambda a: spread[a])
    lines = {2: "rows" if x.dim() == 4 else "slices", x.dim() - 1: "columns"}.get(axis, "rows")
    return f"noise has a direction: {lines} share levels that spread by {spread[axis]:.2g}"


def _outside(x: Tensor) -> Tensor:
    radius = torch.stack(axes_of(x)).square().sum(0).sqrt() * (2 / min(x.shape[2:]))
    return torch.where(radius > DISC, x, torch.nan)
