"""How much of each direction of a vector a dial keeps, by how fast the group moves it.

Legend of axes: `K` directions, with speeds relative to the fastest one, in (0, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Mask = Callable[[Float[Tensor, "K"], Float[Tensor, ""]], Float[Tensor, "K"]]
"""From relative speeds and the softness `b` to shares in [0, 1]: 0 at `b = 0`, 1 at `b = 1`, never less at more `b`."""


def hard_mask(speeds: Float[Tensor, "K"], softness: Float[Tensor, ""]) -> Float[Tensor, "K"]:
    """Directions up to a speed are kept whole, all others dropped: `m = [s <= b]`, a projection.

    Applied twice it does what it does once. What is kept moves at most with `b` times the speed of the fastest
    direction. It has no gradient in `b`.

    Reference: Rahman et al., "Soft equivariance" (2026), arXiv 2603.26657, with the speeds themselves in place of
    their ranks, so that directions of equal speed share their fate in every basis.

    Example:
        >>> ls.relax.hard_mask(torch.tensor([1.0, 0.7]), torch.tensor(0.8))
        tensor([0., 1.])
    """
    return (speeds <= softness).to(speeds.dtype)


def smooth_mask(speeds: Float[Tensor, "K"], softness: Float[Tensor, ""]) -> Float[Tensor, "K"]:
    """Faster directions are damped more: `m = exp(-s (1 - b) / b)`.

    It is exactly 0 at `b = 0` and exactly 1 at `b = 1`, and smooth between. `|L w| / |w|` of what is left grows with
    `b` for every vector: its square is the mean of `σ²` under weights that `b` tilts towards large `σ`.

    Example:
        >>> ls.relax.smooth_mask(torch.tensor([1.0, 0.5]), torch.tensor(0.5))
        tensor([0.3679, 0.6065])
    """
    tiny = torch.finfo(softness.dtype).tiny
    return (-speeds * (1 - softness) / softness.clamp(min=tiny)).exp() * (softness > 0)
