"""Principal logarithm of real matrices, batched: for groups without a closed form."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._constant import constant

_ROOTS = 8
_ITERATIONS = 14
_NODES, _WEIGHTS = (torch.from_numpy(values) for values in np.polynomial.legendre.leggauss(8))


def logm(g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B n n"]:
    """The logarithm whose eigenvalues have imaginary parts in (-π, π), by inverse scaling and squaring.

    `log g = 2^k log(g^(1/2^k))`, square roots by the product form of the Denman-Beavers iteration, the logarithm near
    the identity by Gauss-Legendre quadrature of `∫₀¹ X (I + uX)⁻¹ du` (Higham, Functions of Matrices, 2008, chapters 6
    and 11).

    Returns:
        The logarithms; entries are nan or useless where an eigenvalue lies on the negative axis.
    """
    for _ in range(_ROOTS):
        g = _square_root(g)
    eye = torch.eye(g.shape[-1], dtype=g.dtype, device=g.device)
    x = g - eye
    nodes, weights = (constant(values, g)[:, None, None] for values in (0.5 * (_NODES + 1), 0.5 * _WEIGHTS))
    x = x.unsqueeze(-3)
    # X commutes with the inverse, which may therefore stand on either side
    terms = x @ torch.linalg.inv_ex(eye + nodes * x).inverse
    return 2.0**_ROOTS * (weights * terms).sum(-3)


def _square_root(g: Tensor) -> Tensor:
    eye = torch.eye(g.shape[-1], dtype=g.dtype, device=g.device)
    root, m = g, g
    for _ in range(_ITERATIONS):
        # inv_ex instead of inv: a singular matrix gives nan in its own entry, not an error for the batch.
        inverse = torch.linalg.inv_ex(m).inverse
        root = 0.5 * root @ (eye + inverse)
        m = 0.25 * (m + inverse) + 0.5 * eye
    return root
