"""Losses of single examples, convex in the outputs."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.objectives.losses import shaped_as

LossOfExamples = Callable[[Tensor, Tensor], Tensor]
"""Takes outputs and targets, gives one value per example `(B,)`."""


def mse(outputs: Float[Tensor, "B ..."], y: Float[Tensor, "B ..."]) -> Float[Tensor, "B"]:
    """Squared error of each example, averaged over its outputs; outputs `(B, 1)` fit targets `(B,)`."""
    return (shaped_as(outputs, y) - y).square().reshape(len(y), -1).mean(1)


def cross_entropy(outputs: Float[Tensor, "B C *grid"], y: Int[Tensor, "B *grid"]) -> Float[Tensor, "B"]:
    """Cross-entropy of the logits of each example, averaged over its pixels (if any)."""
    if outputs.ndim != y.ndim + 1:
        raise ValueError(
            f"y: got shape {tuple(y.shape)} for outputs {tuple(outputs.shape)}, must be class indices (B, ...) "
            "of logits (B, C, ...); choose the logits by output"
        )
    return F.cross_entropy(outputs, y, reduction="none").reshape(len(y), -1).mean(1)


LOSSES: dict[str, LossOfExamples] = {"mse": mse, "cross_entropy": cross_entropy}


def loss_of_examples(loss: LossOfExamples, y: Tensor, outputs: Float[Tensor, "B ..."]) -> Float[Tensor, "B"]:
    """The loss of each example, in double precision; ValueError when it is not one value per example."""
    values = loss(outputs, y.double() if y.is_floating_point() else y)
    if values.shape != (len(y),):
        raise ValueError(
            f"loss: gives shape {tuple(values.shape)} for {len(y)} examples, must be one value per example; average "
            "over the other axes only"
        )
    return values
