"""Stumpff functions: the entire functions from which closed-form matrix exponentials are made.

`c_k(x) = sum_j (-x)^j / (k + 2j)!`, so that `c_0(x) = cos √x`, `c_1(x) = sin √x / √x`, `c_2(x) = (1 - cos √x) / x`
and `c_3(x) = (1 - c_1(x)) / x`, with hyperbolic functions for negative `x`. They have no singularity at 0, hence
neither have the exponentials written with them, at any order of differentiation.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._constant import constant

_TERMS = 16
_SERIES_BELOW = 10.0  # just above pi**2: rotations within their cap need the series alone
_COEFFICIENTS = torch.tensor(
    [[(-1) ** j / math.factorial(k + 2 * j) for k in range(4)] for j in range(_TERMS)], dtype=torch.float64
)


def powers(x: Float[Tensor, "*B"], doublings: int) -> Float[Tensor, "*B J"]:
    """`x**0, x**1, ...`, `J = 2**doublings` of them, by products alone: derivatives of all orders are finite at 0."""
    result = torch.ones_like(x).unsqueeze(-1)
    power = x.unsqueeze(-1)
    for _ in range(doublings):
        result = torch.cat([result, result * power], dim=-1)
        power = power * power
    return result


def stumpff(x: Float[Tensor, "*B"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`c_0(x), c_1(x), c_2(x), c_3(x)` (Stumpff, Himmelsmechanik, 1959), each of the shape of `x`."""
    near = x.abs() <= _SERIES_BELOW
    # Both arguments are safe on both sides of the branch, else a gradient of `where` would be nan.
    inner = torch.where(near, x, torch.zeros_like(x))
    outer = torch.where(near, torch.full_like(x, _SERIES_BELOW), x)
    series = (powers(inner, 4) @ constant(_COEFFICIENTS, x)).unbind(-1)
    c0, c1 = cosine_and_sine(outer)
    closed = (c0, c1, (1 - c0) / outer, (1 - c1) / outer)
    c0, c1, c2, c3 = (torch.where(near, s, c) for s, c in zip(series, closed, strict=True))
    return c0, c1, c2, c3


def cosine_and_sine(x: Float[Tensor, "*B"]) -> tuple[Tensor, Tensor]:
    """`c_0(x), c_1(x)` in closed form, away from 0."""
    root = x.abs().sqrt()
    hyperbolic = x < 0
    # cosh and sinh see 0 where they are not used: they overflow long before cos and sin lose meaning.
    h = torch.where(hyperbolic, root, torch.zeros_like(root))
    c0 = torch.where(hyperbolic, h.cosh(), root.cos())
    c1 = torch.where(hyperbolic, h.sinh(), root.sin()) / root
    return c0, c1
