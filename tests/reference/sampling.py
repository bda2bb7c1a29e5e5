"""Slow, obvious twins of the samplers and of `warp`: one pixel at a time."""

import math

import torch


def warp_by_pixels(x, g, padding="zeros"):
    """`(g·x)(u) = x(g^-1 u)` of images, one pixel at a time; isotropic coordinates, y up, 1 = half the shorter side."""
    batch, _, height, width = x.shape
    half = min(height, width) / 2
    out = torch.zeros_like(x)
    for b in range(batch):
        a = torch.eye(3, dtype=torch.float64)
        a[: g.shape[-1], : g.shape[-1]] = g[b]
        inverse = torch.linalg.inv(a)
        for row in range(height):
            for column in range(width):
                right, up = (column + 0.5 - width / 2) / half, (height / 2 - row - 0.5) / half
                source = inverse @ torch.tensor([right, up, 1.0], dtype=torch.float64)
                at = (height / 2 - source[1] * half - 0.5, source[0] * half + width / 2 - 0.5)
                out[b, :, row, column] = read_bilinear(x[b], float(at[0]), float(at[1]), padding)
    return out


def read_bilinear(image, row, column, padding):
    """The bilinear value of a `(C, H, W)` image at a fractional pixel."""
    height, width = image.shape[1:]
    row, column = _pad(row, height, padding), _pad(column, width, padding)
    value = torch.zeros_like(image[:, 0, 0])
    for i in (math.floor(row), math.floor(row) + 1):
        for j in (math.floor(column), math.floor(column) + 1):
            if 0 <= i < height and 0 <= j < width:
                value = value + (1 - abs(row - i)) * (1 - abs(column - j)) * image[:, i, j]
    return value


def _pad(at, size, padding):
    if padding == "zeros":
        return at
    while padding == "reflection" and not -0.5 <= at <= size - 0.5:
        at = -1 - at if at < -0.5 else 2 * size - 1 - at
    return min(max(at, 0), size - 1)
