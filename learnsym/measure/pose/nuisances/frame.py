"""Frame: lines at the border that hold no picture, which a network sees turn with what is turned.

Legend of axes: `B` examples, `C` channels, `*S` size of the image, `L` lines along one axis.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

THICK = 1 / 8
"""Share of a side up to which lines belong to a frame."""
JUMP, USUAL = 0.05, 6.0
"""Share of the contrast, and multiple of the usual difference of neighbouring lines, beyond which a frame ends."""


def unframed(x: Float[Tensor, "B C *S"], _: torch.Generator) -> Float[Tensor, "B C *S"]:
    """The frame replaced by the lines next to it."""
    for axis, (first, last) in enumerate(thickness_of(x), start=2):
        if first or last:
            inner = x.narrow(axis, first, x.shape[axis] - first - last).movedim(axis, -1)
            flat = inner.reshape(len(x), -1, inner.shape[-1])
            x = F.pad(flat, (first, last), mode="replicate").view(*inner.shape[:-1], -1).movedim(-1, axis)
    return x


def thickness_of(x: Float[Tensor, "B C *S"]) -> list[tuple[int, int]]:
    """Number of lines of a frame at either end of each axis, in the order of the axes.

    Example:
        >>> x = torch.zeros(4, 1, 16, 16)
        >>> x[..., 5:11, 5:11] = 1.0
        >>> x[..., :2] = 1.0
        >>> thickness_of(x)
        [(0, 0), (2, 0)]
    """
    found = []
    for axis in range(2, x.dim()):
        lines = x.movedim(axis, 0).flatten(1).mean(1)
        jumps = lines.diff().abs()
        most = max(round(len(lines) * THICK), 1)
        limit = max(JUMP * float(x.std()), USUAL * float(jumps[most:-most].median()))
        found.append((_last(jumps[:most], limit), _last(jumps.flip(0)[:most], limit)))
    return found


def named(x: Tensor) -> str:
    """The frame in words."""
    return f"there is a border or frame of {max(max(pair) for pair in thickness_of(x))} pixels"


def _last(jumps: Float[Tensor, "L"], limit: float) -> int:
    beyond = (jumps > limit).nonzero().flatten()
    return int(beyond[-1]) + 1 if len(beyond) else 0
