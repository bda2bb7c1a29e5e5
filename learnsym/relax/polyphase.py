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
    phases = nn.functional.pixel_unshuffle(x, stride).unflatten(1, (-1, stride**2))
    energies = phases.square().sum((1, 3, 4))
    weights = torch.zeros_like(energies).scatter(1, energies.argmax(1, keepdim=True), 1.0)
    return (weights[:, None, :, None, None] * phases).sum(2)


def plain_polyphase(stride: int) -> nn.Module:
    """The same as a module that holds nothing but traced operations of torch."""

    graph = fx.symbolic_trace(lambda x: polyphase(x, stride)).graph
    return fx.GraphModule(nn.Module(), graph, "AdaptivePolyphase")
