"""Coordinates that differ by whole turns and stand for one element.

Legend of axes: `*B` batch, `K` windings, `d` size of a vector of rotation.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor


def full_turns(turns: int, like: Tensor) -> Float[Tensor, "K"]:
    """`2π k` for `|k| <= turns`, in the real dtype of `like`."""
    return 2 * math.pi * torch.arange(-turns, turns + 1, dtype=like.real.dtype, device=like.device)


def circular(a: Float[Tensor, "*B D"], turns: int) -> tuple[Float[Tensor, "*B K D"], Float[Tensor, "*B K"]]:
    """Windings of the first coordinate, an angle that commutes with the others: volume is kept."""
    added = full_turns(turns, a)
    return a.unsqueeze(-2) + added[:, None] * _first(a), torch.zeros_like(a[..., :1] + added)


def wound(
    vector: Shaped[Tensor, "*B d"], angle: Shaped[Tensor, "*B"], turns: int
) -> tuple[Shaped[Tensor, "*B K d"], Shaped[Tensor, "*B K"], Float[Tensor, "*B K"]]:
    """A vector of rotation `n θ` and its `n θ_k` with `θ_k = θ + 2π k`; the angles; and `log |θ_k / θ|`.

    Where the angle is too small to tell its direction, all directions are alike and the first axis is taken.
    """
    small = angle.abs() <= 2 * torch.finfo(angle.dtype).eps ** 0.5
    n = torch.where(small[..., None], _first(vector), vector / angle[..., None])
    added = full_turns(turns, vector)
    angles = angle[..., None] + added
    return vector.unsqueeze(-2) + added[:, None] * n.unsqueeze(-2), angles, _log_ratio(angles, angle[..., None])


def floored_root(square: Tensor) -> Tensor:
    """A root with a finite gradient: no less than the root of the rounding error."""
    return square.clamp(min=torch.finfo(square.dtype).eps).sqrt()


def _first(vector: Tensor) -> Tensor:
    return torch.eye(vector.shape[-1], dtype=vector.dtype, device=vector.device)[0]


def _log_ratio(angles: Tensor, angle: Tensor) -> Tensor:
    tiny = torch.finfo(angle.dtype).tiny
    return angles.abs().clamp(min=tiny).log() - angle.abs().clamp(min=tiny).log()
