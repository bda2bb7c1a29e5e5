"""Tokens with multivectors and auxiliary scalars: normalisation, gates, points in, own frames out.

Legend of axes: `T` tokens, `C` channels of multivectors, `S` auxiliary scalars, `W = 4 C`, `F = W + S`,
`V` vectors.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from learnsym.equivariant.projective.multivectors import Multivectors


class Features(NamedTuple):
    """What tokens carry, split by how rotations act, so that a linear map is two matrix products.

    `scalars`: blades 1, p, q, r of all channels, then the auxiliary scalars; `vectors`: blades e, B, m, P of them.
    """

    scalars: Float[Tensor, "F T"]
    vectors: Float[Tensor, "W 3 T"]


def add(x: Features, y: Features) -> Features:
    """The sum, in the precision of `x`."""
    return Features(x.scalars + y.scalars.to(x.scalars.dtype), x.vectors + y.vectors.to(x.vectors.dtype))


def in_float32(x: Features) -> Features:
    """Features of at least single precision."""
    return Features(x.scalars.float(), x.vectors.float()) if x.scalars.element_size() < 4 else x


def multivectors(x: Features) -> Multivectors:
    """All but the auxiliary scalars."""
    width = x.vectors.shape[0]
    return Multivectors(x.scalars[:width].unflatten(0, (4, -1)), x.vectors.unflatten(0, (4, -1)))


def normalised(x: Features, eps: float = 1e-2) -> Features:
    """Multivectors over the root of their mean square `1² + p² + |e|² + |B|²`, and standardised scalars.

    Nothing moves these numbers; blades with e0 change under translations and have no norm of their own. In float32 at
    least.
    """
    width = x.vectors.shape[0]
    scalars, vectors = in_float32(x)
    free, ideal, auxiliary = scalars.split([width // 2, width // 2, scalars.shape[0] - width])
    square = free.square().sum(0) + vectors[: width // 2].square().sum((0, 1))
    factor = (4 * square / width + eps).rsqrt()
    parts = [free * factor, ideal * factor]
    if auxiliary.shape[0]:
        variance, mean = torch.var_mean(auxiliary, 0, correction=0)
        parts.append((auxiliary - mean) * (variance + 1e-5).rsqrt())
    return Features(torch.cat(parts), vectors * factor)


def gated(x: Features, gates: Float[Tensor, "C T"]) -> Features:
    """Each channel times the GELU of its gate; GELU of the auxiliary scalars."""
    gates = functional.gelu(gates)
    blades, auxiliary = x.scalars.split([x.vectors.shape[0], x.scalars.shape[0] - x.vectors.shape[0]])
    scalars = torch.cat([(blades.unflatten(0, (4, -1)) * gates).flatten(0, 1), functional.gelu(auxiliary)])
    return Features(scalars, (x.vectors.unflatten(0, (4, -1)) * gates[:, None]).flatten(0, 1))


def embedded(
    positions: Float[Tensor, "T 3"], vectors: Float[Tensor, "T V 3"], scalars: Float[Tensor, "T S"]
) -> Features:
    """Points with vectors, `1 + V` channels of sign +1 and as many of sign -1.

    Sign +1: the point `p + P` with `P` the position, and of each vector the ideal line `m`, which no translation moves.
    Sign -1: the number e0123, and of each vector the plane through the point with that normal (`e`, `q = e·x`) and the
    line through the point in that direction (`B`, `m = B × x`).
    """
    x = positions[:, None]
    along = torch.cat([torch.zeros_like(x), vectors], 1)
    point, none = torch.cat([x, torch.zeros_like(vectors)], 1), torch.zeros_like(along)
    moment, offset = torch.linalg.cross(along, x.expand_as(along)), (along * x).sum(2)
    first = functional.pad(torch.ones_like(positions[:, :1]), (0, vectors.shape[1]))
    zero = torch.zeros_like(first)
    # per blade the channels of sign +1, then those of sign -1
    heights = torch.cat([zero, zero, first, zero, zero, offset, zero, first, scalars], 1)
    blades = torch.cat([none, along, none, along, along, moment, point, none], 1)
    return Features(heights.T, blades.permute(1, 2, 0))


def in_own_frame(x: Features, positions: Float[Tensor, "T 3"]) -> Features:
    """Each multivector as seen from the position of its token: translated by `-x`, so that translations do nothing.

    q <- q - e·x,    m <- m - B×x,    P <- P - p x.
    """
    width, at = x.vectors.shape[0] // 4, positions.T
    one, p, q, r, auxiliary = x.scalars.split([width] * 4 + [x.scalars.shape[0] - 4 * width])
    e, b, m, point = x.vectors.split(width)
    q = q - (e * at).sum(1)
    m = m - torch.linalg.cross(b, at.expand_as(b), dim=1)
    return Features(torch.cat([one, p, q, r, auxiliary]), torch.cat([e, b, m, point - p[:, None] * at]))
