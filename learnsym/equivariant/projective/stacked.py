"""The products of G(3,0,1) as three stacked products of complex numbers and vectors of space.

`i = e123` commutes with all that has no e0. So blades 1, p, e, B of a multivector are one complex number and one
complex vector `a = (1 + i p) + (e + i B)` of the Pauli algebra, and the others another one: `x = a + e0 b`.

Legend of axes: `K = 3 C` stacked channels, `T` tokens; numbers `(2, K, T)`, vectors `(2, K, 5, T)`, real part first.
"""

from __future__ import annotations

import torch
from torch import Tensor

from learnsym.equivariant.projective.multivectors import Multivectors, involuted


def left(x: Multivectors) -> tuple[Tensor, Tensor]:
    """`(a, â, b)`: complex numbers `(2, K, T)` and vectors `(2, K, 5, T)`."""
    hat = involuted(x)
    scalars = torch.cat([x.scalars[:2], hat.scalars[:2], x.scalars[2:]], 1)
    return scalars, _rows(torch.cat([x.vectors[:2], hat.vectors[:2], x.vectors[2:]], 1))


def right(y: Multivectors) -> tuple[Tensor, Tensor]:
    """`(c, d, c)`."""
    scalars = torch.cat([y.scalars[:2], y.scalars[2:], y.scalars[:2]], 1)
    return scalars, _rows(torch.cat([y.vectors[:2], y.vectors[2:], y.vectors[:2]], 1))


def _rows(vectors: Tensor) -> Tensor:
    """Rows x, y, z, x, y: the cyclic shifts of a vector are slices."""
    return torch.cat([vectors, vectors[:, :, :2]], 2)


def unstacked(scalars: Tensor, vectors: Tensor) -> Multivectors:
    """Of the products `(u, v, w)` the multivector `u + e0 (v + w)`."""
    parts = [(u, v + w) for u, v, w in (part.chunk(3, 1) for part in (scalars, vectors))]
    return Multivectors(torch.cat(parts[0]), torch.cat(parts[1]))


def pauli(s: Tensor, v: Tensor, t: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """`(s, v)(t, w) = (s t + v·w, s w + t v + i v×w)` for complex numbers and vectors."""
    i_t, i_w = torch.cat([-t[1:], t[:1]]), torch.cat([-w[1:], w[:1]])
    (s_re, s_im), (v_re, v_im) = s.split(1), v.split(1)
    x_re, x_im, y, i_y = v_re[:, :, :3], v_im[:, :, :3], w[:, :, :3], i_w[:, :, :3]
    dot = (x_re * y).addcmul_(x_im, i_y).sum(2)
    scalars = dot.addcmul_(s_re, t).addcmul_(s_im, i_t)
    vectors = (s_re[:, :, None] * y).addcmul_(s_im[:, :, None], i_y)
    vectors.addcmul_(x_re, t[:, :, None]).addcmul_(x_im, i_t[:, :, None])
    # i v×w, with i i w = -w; rows y, z, x and z, x, y
    vectors.addcmul_(v_re[:, :, 1:4], i_w[:, :, 2:]).addcmul_(v_re[:, :, 2:], i_w[:, :, 1:4], value=-1)
    vectors.addcmul_(v_im[:, :, 1:4], w[:, :, 2:], value=-1).addcmul_(v_im[:, :, 2:], w[:, :, 1:4])
    return scalars, vectors


def exterior(s: Tensor, v: Tensor, t: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """In space `(1, p, e, B) ∧ (1', p', e', B') = (11', 1p' + p1' + e·B' + B·e', 1e' + e1', 1B' + B1' + e×e')`."""
    x, y = v[:, :, :3], w[:, :, :3]
    scalars = s[:1] * t
    scalars[1].addcmul_(s[1], t[0]).add_((x[0] * y[1]).addcmul_(x[1], y[0]).sum(1))
    vectors = (s[:1, :, None] * y).addcmul_(x, t[:1, :, None])
    vectors[1].addcmul_(v[0, :, 1:4], w[0, :, 2:]).addcmul_(v[0, :, 2:], w[0, :, 1:4], value=-1)
    return scalars, vectors
