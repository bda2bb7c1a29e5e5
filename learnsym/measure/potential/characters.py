"""Which irreducible representations of O(3) a response is made of, by their characters.

Legend of axes: `S` group elements, `D` numbers of a response.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

MOST = 256
"""How many elements are paired with each other: more than enough for a share."""
DEGREES = 3
"""The largest degree `l` that is told apart."""
WORDS = {
    "0e": "scalar",
    "0o": "pseudoscalar",
    "1o": "vector",
    "1e": "pseudovector",
    "2e": "rank 2",
    "2o": "rank 2, odd",
    "3o": "rank 3",
    "3e": "rank 3, even",
}
"""What the names of irreps, degree and parity as in e3nn, stand for."""


def characters(g: Float[Tensor, "*K 3 3"]) -> dict[str, Float[Tensor, "*K"]]:
    """`χ_l(g) = Σ_{|m| <= l} cos(m θ)` with the angle of the rotation in `g`; times its determinant for odd parity.

    Example:
        >>> found = characters(-torch.eye(3))
        >>> [int(found[name]) for name in ("0e", "0o", "1e", "1o")]
        [1, -1, 3, -3]
    """
    sign = torch.linalg.det(g).sign()
    cos = ((sign * g.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2).clamp(-1, 1)
    powers, chi = [torch.ones_like(cos), cos], torch.ones_like(cos)
    found = {"0e": chi, "0o": sign}
    for degree in range(1, DEGREES + 1):
        chi = chi + 2 * powers[degree]
        found |= {f"{degree}e": chi, f"{degree}o": sign * chi}
        powers.append(2 * cos * powers[-1] - powers[-2])  # Chebyshev: cos(m θ)
    return found


def powers(g: Float[Tensor, "S 3 3"], u: Float[Tensor, "S D"]) -> dict[str, float]:
    """How much of the mean square of a response `u(g)` about its mean belongs to each irrep.

        |P_l u|² = (2l+1) ∫∫ χ_l(h⁻¹ g) u(h)·u(g) dh dg

    over pairs of different elements, which are independent draws: without the bias of pairs with themselves, and with
    the factor of the mean that is taken from the same draws. It may be below 0 by chance.

    Reference: character projections of Domina et al. (2026), arXiv 2603.24638; the correction is our own.
    """
    g, u = g[:MOST], u[:MOST]
    count = len(g)
    pairs = u @ u.T
    pairs.fill_diagonal_(0)
    free = (count - 1) * (count - 2 + 2 / count)
    relative = torch.einsum("sji,tjk->stik", g, g)
    return {
        name: float((2 * int(name[0]) + 1) * (chi * pairs).sum() / free) for name, chi in characters(relative).items()
    }


def total(u: Float[Tensor, "S D"]) -> float:
    """The mean square of a response about its mean, of which `powers` are the parts."""
    u = u[:MOST]
    return float(u.square().sum() / (len(u) - 1))
