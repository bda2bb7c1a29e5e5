"""Slow, obvious twins: a factored map as two block-diagonal matrices, an interpolation point by point."""

import math

import torch


def block_diagonal(layer, x):
    """`FactoredMap` by dense matrices with a block for each channel in, then for each channel out."""
    c, _, d = layer.reading.shape
    read = torch.block_diag(*layer.reading.transpose(1, 2))  # (c d, c X)
    write = torch.block_diag(*layer.writing.transpose(1, 2))  # (d Y, d c)
    s = x.flatten(1) @ read.mT
    y = s.unflatten(1, (c, d)).transpose(1, 2).flatten(1) @ write.mT
    return (y + layer.constant().flatten()).unflatten(1, (d, *layer.out_size))


def interpolated(values, positions, anchors, bandwidth, noise):
    """The mean of a Gaussian process at each position, from its values at anchors."""

    def k(a, b):
        return math.exp(-(bandwidth**2) * float((a - b).square().sum()) / 2)

    gram = torch.tensor([[k(a, b) + noise**2 * (i == j) for j, b in enumerate(anchors)] for i, a in enumerate(anchors)])
    weights = torch.linalg.solve(gram.double(), values)
    return torch.stack([sum(k(t, a) * w for a, w in zip(anchors, weights, strict=True)) for t in positions])
