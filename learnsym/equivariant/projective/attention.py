"""Attention between the tokens of a cloud by invariants of their multivectors.

Legend of axes: `B` clouds, `N` points, `T = B N` tokens, `H` heads, `C` channels of a head, `I`, `J` what is given of
scalars and vectors, `D`, `E` numbers of a query and of a value.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-3


def attend(
    q: Float[Tensor, "T H D"],
    k: Float[Tensor, "T D"],
    v: Float[Tensor, "T E"],
    clouds: int,
    mask: Bool[Tensor, "B N"] | None = None,
) -> Float[Tensor, "T H E"]:
    """Softmax attention within each cloud, of the queries of all heads to keys and values that the heads share.

    Points that a mask has as False are no keys.
    """
    k, v = k.unflatten(0, (clouds, 1, -1)), v.unflatten(0, (clouds, 1, -1))
    # heads are more queries of the same keys
    keys = None if mask is None else mask[:, None, None, :]
    y = functional.scaled_dot_product_attention(q.reshape(clouds, 1, -1, q.shape[2]), k, v, keys)
    return y.reshape(-1, q.shape[1], v.shape[3])


def query_features(
    scalars: Float[Tensor, "T H I"], vectors: Float[Tensor, "3 T H J"], channels: int
) -> Float[Tensor, "T H D"]:
    """Numbers whose products with those of `key_features` are invariant.

    Of each channel 1, p, e, B, and five numbers of its point `(p, P)` whose product with those of a key is

        -w w' |p' P - p P'|²,    w = p / (p² + ε),

    which for points of weight 1 is about minus their squared distance.

    Reference: Geometric algebra transformer (Brehmer, de Haan, Behrends, Cohen 2023), arXiv 2305.18415, section 3.

    Args:
        scalars: blades 1 and p of all channels, and auxiliary scalars.
        vectors: blades e, B, P of all channels.
        channels: number `C`.
    """
    one, p, auxiliary = scalars.split([channels, channels, scalars.shape[2] - 2 * channels], 2)
    free, point = vectors.split([2 * channels, channels], 3)
    square = p.square()
    w = p / (square + EPSILON)
    numbers = [one, p, auxiliary, *free.unbind(), w * square, w * point.square().sum(0), *(2 * w * p * point).unbind()]
    return torch.cat(numbers, 2)


def key_features(features: Float[Tensor, "T D"], channels: int) -> Float[Tensor, "T D"]:
    """Numbers of keys, made of those that `query_features` makes of them."""
    split = [features.shape[1] - 5 * channels, channels, channels, 3 * channels]
    free, weight, square, mixed = features.split(split, 1)
    return torch.cat([free, -square, -weight, mixed / 2], 1)
