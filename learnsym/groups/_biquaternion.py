"""Lorentz transformations as complex quaternions, in which logarithms have a closed form.

A transformation is `Λ(A)` for a complex 2 x 2 matrix `A = q₀ + q·σ` of determinant `q₀² - q·q = 1` with Pauli matrices
`σ`, where `A` and `-A` give the same one. With the complex vector `w = rotation + i boost` and `ζ² = w·w`,

    A = exp(-i w·σ / 2),    q₀ = cos(ζ/2),    q = -i sin(ζ/2) w / ζ
"""

from __future__ import annotations

import itertools

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from learnsym._constant import constant

_PAULI = torch.tensor(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=torch.complex128
)


def _products() -> Tensor:
    """The matrix that takes the entries of `Λ` to those of `4 q q*`: `2 Λ_mn = tr(σ_m A σ_n A*)`, solved for `q q*`."""
    table = torch.zeros(16, 16, dtype=torch.complex128)
    for (row, (m, n)), (column, (a, b)) in itertools.product(
        enumerate(itertools.product(range(4), repeat=2)), enumerate(itertools.product(range(4), repeat=2))
    ):
        table[row, column] = torch.trace(_PAULI[m] @ _PAULI[a] @ _PAULI[n] @ _PAULI[b]) / 2
    return 4 * torch.linalg.inv(table)


_FROM_MATRIX = _products()


def biquaternion(g: Float[Tensor, "*B 4 4"]) -> Complex[Tensor, "*B 4"]:
    """`(q₀, q)` of determinant 1 and `Re q₀ >= 0`: the column of `4 q q*` with the largest diagonal entry, normalised.

    The twin for space-time of the quaternion of a rotation: no column is small, so that half turns are as safe as any.
    """
    entries = torch.complex(g, torch.zeros_like(g)).flatten(-2)
    columns = (entries @ _complex_constant(_FROM_MATRIX, g).mT).unflatten(-1, (4, 4)).mT
    best = columns.diagonal(dim1=-2, dim2=-1).real.argmax(-1)
    q = columns.gather(-2, best[..., None, None].expand(*best.shape, 1, 4)).squeeze(-2)
    q = q / (q[..., :1] ** 2 - (q[..., 1:] ** 2).sum(-1, keepdim=True)).sqrt()
    return torch.where(q[..., :1].real < 0, -q, q)


def log_biquaternion(q: Complex[Tensor, "*B 4"]) -> Complex[Tensor, "*B 3"]:
    """`w = 2i q (ζ/2) / sin(ζ/2)`, the real part of `ζ` in [-π, π]."""
    cosine, v = q[..., :1], q[..., 1:]
    square = -(v * v).sum(-1, keepdim=True)  # sin²(ζ/2)
    near = (square.abs() <= 1e-4) & (cosine.real > 0.5)
    sine = torch.where(near, torch.ones_like(square), square).sqrt()
    # of the two roots the one with the larger e^{iζ/2}, which does not cancel
    sine = torch.where((cosine + 1j * sine).abs() < (cosine - 1j * sine).abs(), -sine, sine)
    half = -1j * torch.where(near, torch.ones_like(cosine), cosine + 1j * sine).log()
    inner = torch.where(near, square, torch.zeros_like(square))
    # asin(r) / r in r² = sin²(ζ/2); its root has no gradient at 0
    series = 1 + inner * (1 / 6 + inner * (3 / 40 + inner * (5 / 112 + inner * (35 / 1152))))
    return 2j * v * torch.where(near, series, half / sine)


def _complex_constant(table: Tensor, like: Tensor) -> Tensor:
    return torch.complex(constant(table.real, like), constant(table.imag, like))
