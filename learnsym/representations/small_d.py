"""Wigner's small d: the matrices with which spherical harmonics turn about the y axis.

Legend of axes: `K` angles, `l` degree, `m`, `n` orders, from `-(b - 1)` to `b - 1`.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Complex, Float
from torch import Tensor


def small_d(band_limit: int, beta: Float[Tensor, "K"]) -> Float[Tensor, "K l m n"]:
    """`d^l_mn(β)` of all degrees below the band limit `b`, zero where `|m|` or `|n|` exceeds `l`; float64.

        d^l(β) = exp(-i β J_y) = V exp(-i β diag(-l ... l)) V†,    D^l_mn(α, β, γ) = exp(-i m α) d^l_mn(β) exp(-i n γ)

    The eigenvalues of `J_y` are whole numbers, so that the only error is that of its eigenvectors, about 1e-15 whatever
    the degree. With the phases of Condon and Shortley; `R(α, β, γ) = R_z(α) R_y(β) R_z(γ)`.

    Reference: Feng, Wang, Yang, Jin, "High-precision evaluation of Wigner's d matrix by exact diagonalization" (2015),
    arXiv 1507.04535.

    Args:
        band_limit: number `b` of degrees.
        beta: angles in radians.
    """
    size = 2 * band_limit - 1
    table = torch.zeros(len(beta), band_limit, size, size, dtype=torch.float64)
    for degree in range(band_limit):
        orders, vectors = torch.arange(-degree, degree + 1, dtype=torch.float64), _eigenvectors(degree)
        phases = torch.exp(-1j * beta.double().cpu()[:, None] * orders)
        inside = slice(band_limit - 1 - degree, band_limit + degree)
        table[:, degree, inside, inside] = torch.einsum("mk,ak,nk->amn", vectors, phases, vectors.conj()).real
    return table


@lru_cache
def _eigenvectors(degree: int) -> Complex[Tensor, "m k"]:
    """Those of `J_y = (J₊ - J₋) / 2i`, in the order of its eigenvalues `-l ... l`."""
    m = torch.arange(-degree, degree, dtype=torch.float64)
    raised = torch.diag((degree * (degree + 1) - m * (m + 1)).sqrt(), -1)
    return torch.linalg.eigh((raised - raised.mT) / 2j)[1]
