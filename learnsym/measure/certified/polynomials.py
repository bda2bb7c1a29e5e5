"""Polynomials as a space of functions that linear maps of their inputs leave in place.

Legend of axes: `N` points, `n` numbers per point, `q` monomials, `K` generators.
"""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

import torch
from jaxtyping import Float, Int
from torch import Tensor


def powers(n: int, degree: int) -> Int[Tensor, "q n"]:
    """Exponents of all monomials of `n` variables up to a degree, the constant first."""
    rows = [
        [factors.count(variable) for variable in range(n)]
        for total in range(degree + 1)
        for factors in combinations_with_replacement(range(n), total)
    ]
    return torch.tensor(rows)


def monomials(x: Float[Tensor, "N n"], exponents: Int[Tensor, "q n"]) -> Float[Tensor, "N q"]:
    """`x^a`, one column per monomial."""
    table = torch.stack([x**power for power in range(int(exponents.max()) + 1)], -1)
    return math.prod((table[:, j, exponents[:, j]] for j in range(1, x.shape[1])), start=table[:, 0, exponents[:, 0]])


def gradients(x: Float[Tensor, "N n"], exponents: Int[Tensor, "q n"]) -> Float[Tensor, "N n q"]:
    """`∂_j x^a = a_j x^(a - e_j)`."""
    steps = torch.eye(x.shape[1], dtype=exponents.dtype)
    return torch.stack(
        [exponents[:, j] * monomials(x, (exponents - step).clamp(min=0)) for j, step in enumerate(steps)], 1
    )


def lie_derivatives(exponents: Int[Tensor, "q n"], matrices: Float[Tensor, "K s s"]) -> Float[Tensor, "K q q"]:
    """`R` with `∇φ_a·(A x) = Σ_b R_ab φ_b`: of `φ_a = x^a` it is `Σ_jk a_j A_jk x^(a - e_j + e_k)`.

    Matrices of one row and column more act on `(x, 1)`: the last column `b` adds `Σ_j a_j b_j x^(a - e_j)`.
    """
    place = {tuple(row): index for index, row in enumerate(exponents.tolist())}
    result = matrices.new_zeros(len(matrices), len(exponents), len(exponents))
    for a, row in enumerate(exponents.tolist()):
        for j, power in enumerate(row):
            for k in range(matrices.shape[2] if power else 0):
                target = [*row, 0]
                target[j] -= 1
                target[k] += 1
                # the last factor is 1, whatever its power
                result[:, a, place[tuple(target[: len(row)])]] += power * matrices[:, j, k]
    return result
