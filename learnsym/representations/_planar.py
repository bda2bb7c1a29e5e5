"""Representations of O(2) and its subgroups: `g = R(φ) diag(1, d)`, with `d = det g` and `φ` the angle of `g e_x`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def determinant(g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B"]:
    """1 or -1, without rounding errors."""
    if g.shape[-1] == 2:
        return (g[..., 0, 0] * g[..., 1, 1] - g[..., 0, 1] * g[..., 1, 0]).sign()
    return (g[..., 0] * torch.linalg.cross(g[..., 1], g[..., 2])).sum(-1).sign()


def powers_of_phase(count: int, x: Float[Tensor, "*B"], y: Float[Tensor, "*B"]) -> list[tuple[Tensor, Tensor]]:
    """Real and imaginary part of `(x + i y)^m` for `m = 0 ... count`; exact for quarter turns."""
    powers = [(torch.ones_like(x), torch.zeros_like(x))]
    for _ in range(count):
        real, imaginary = powers[-1]
        powers.append((real * x - imaginary * y, real * y + imaginary * x))
    return powers


def rotation_of_frequency(m: int, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B 2 2"]:
    """`R(mφ) diag(1, d)`."""
    cos, sin = powers_of_phase(m, g[..., 0, 0], g[..., 1, 0])[m]
    d = determinant(g)
    return torch.stack([cos, -d * sin, sin, d * cos], -1).unflatten(-1, (2, 2))


def character(m: int, parity: int, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B 1 1"]:
    """`cos(mφ) d^parity`, where that is 1 or -1."""
    cos, _ = powers_of_phase(m, g[..., 0, 0], g[..., 1, 0])[m]
    return (cos.round() * determinant(g) ** parity)[..., None, None]
