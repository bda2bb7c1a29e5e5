"""Adaptive sampling: each image is sampled where it is largest, so that sampling commutes with translations.

Legend of axes: `B` batch, `C` channels, `s` stride.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn


def polyphase(x: Any, stride: int) -> Any:  # noqa: ANN401  a tensor, or its stand-in while it is traced
    """Of the `s²` grids with one pixel in `s x s`, the one with the largest norm, chosen for each example.

    A translation permutes the grids, so that a translated image gives a translation of the sampled one (up to ties). A
    choice for the whole batch would make a prediction depend on the images beside it.

    Reference: Chaman, Dokmanić, "Truly shift-invariant convolutional neural networks" (2021), arXiv 2011.14214.

    Args:
        x: images `(B, C, H, W)`.
        stride: `s`, which divides `H` and `W`; 1 returns `x`.

    Returns:
        Images `(B, C, H / s, W / s)`.
    """
    if stride == 1:
        return x
    grids = phases(x, stride)
    return picked(grids, largest(grids))


def phases(x: Any, stride: int) -> Any:  # noqa: ANN401  as polyphase
    """All grids with one pixel in `s x s`, `(B, C, s², H / s, W / s)`."""
    return nn.functional.pixel_unshuffle(x, stride).unflatten(1, (-1, stride**2))


def largest(grids: Any) -> Any:  # noqa: ANN401  as polyphase
    """Which grid has the largest norm: weights `(B, s²)` of which one is 1 and all others 0."""
    energies = grids.square().sum((1, 3, 4))
    return torch.zeros_like(energies).scatter(1, energies.argmax(1, keepdim=True), 1.0)


def picked(grids: Any, which: Any) -> Any:  # noqa: ANN401  as polyphase
    """The grids of the weights `(B, s²)`."""
    return (which[:, None, :, None, None] * grids).sum(2)


def plain_polyphase(stride: int) -> nn.Module:
    """The same as a module that holds nothing but traced operations of torch."""

    graph = fx.symbolic_trace(lambda x: polyphase(x, stride)).graph
    return fx.GraphModule(nn.Module(), graph, "AdaptivePolyphase")
