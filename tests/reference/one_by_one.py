"""Slow twin of a stack of networks: each member by itself."""

import torch


def one_by_one(function, x, *weights):
    """`function` of each row of `x (M, B, ...)` and of weights `(M, ...)`, or None, stacked."""
    rows = zip(x, *(w if w is not None else [None] * len(x) for w in weights), strict=True)
    return torch.stack([function(*row) for row in rows])
