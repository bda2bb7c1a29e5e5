"""The block that the convolutional networks are made of."""

from __future__ import annotations

import math

from torch import nn


def conv_block(in_channels: int, out_channels: int, norm: str, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, normalisation, ReLU."""
    conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=norm == "none")
    return nn.Sequential(conv, normalisation(out_channels, norm), nn.ReLU(inplace=True))


def normalisation(channels: int, norm: str) -> nn.Module:
    """Group normalisation (at most 8 groups), batch normalisation, or none, by name."""
    if norm == "group":
        return nn.GroupNorm(math.gcd(channels, 8), channels)
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "none":
        return nn.Identity()
    raise ValueError(f"norm: got {norm!r}, must be group, batch or none; choose one of them")


def at_least_one(**sizes: int) -> None:
    """ValueError for the first size below 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}: got {size}, must be >= 1; choose a positive size")
