"""Multivectors of the projective geometric algebra G(3,0,1), split by how rotations act.

The 16 components are four scalars and four vectors:

    scalars   1     p = e123    q = e0     r = e0123
    vectors   e_i   B = e_jk    m = e0i    P = e0jk

Planes are `e + q e0`, lines `B + m`, points `P + p e123` with position `P / p`.

Legend of axes: `C` channels, `T` tokens.
"""

from __future__ import annotations

from typing import NamedTuple, no_type_check

from jaxtyping import Float
from torch import Tensor


class Multivectors(NamedTuple):
    """Multivectors by how rotations act: blades 1, p, q, r and blades e, B, m, P with rows x, y, z."""

    scalars: Float[Tensor, "4 C T"]
    vectors: Float[Tensor, "4 C 3 T"]


def dual(x: Multivectors) -> Multivectors:
    """The right complement: of each basis blade what makes it e0123, `u ∧ dual(u) = e0123`."""
    # 1 <- r, p <- q, q <- -p, r <- 1 and e <- P, B <- m, m <- B, P <- -e
    return signed(x.scalars.flip(0), x.vectors.flip(0), (2,), (3,))


def undual(x: Multivectors) -> Multivectors:
    """The inverse of `dual`."""
    return signed(x.scalars.flip(0), x.vectors.flip(0), (1,), (0,))


def involuted(x: Multivectors) -> Multivectors:
    """The grade involution: blades of odd grade change their sign."""
    return signed(*x, (1, 2), (0, 3))


@no_type_check  # the compiler cannot trace checks of tuples of any length
def signed(scalars: Tensor, vectors: Tensor, some: tuple[int, ...], others: tuple[int, ...]) -> Multivectors:
    """The given blades of the scalars and of the vectors with another sign."""
    signs, signs_of_vectors = scalars.new_ones(4, 1, 1), vectors.new_ones(4, 1, 1, 1)
    for blade in some:
        signs[blade] = -1
    for blade in others:
        signs_of_vectors[blade] = -1
    return Multivectors(scalars * signs, vectors * signs_of_vectors)
