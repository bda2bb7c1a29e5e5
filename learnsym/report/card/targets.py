"""Which loss outputs and targets suggest, and which examples have a target."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.measure.example_losses import LossOfExamples, mse

NO_LABEL = -100
"""What stands for "no label" here; `F.cross_entropy` leaves it out."""

MARKS = (-1, NO_LABEL, 255)
"""What stands for "no label" in files, where it is no class of the model."""


@dataclass(frozen=True)
class Supervision:
    """A loss, its targets, and the examples that have one."""

    loss: LossOfExamples
    y: Tensor
    chosen: Tensor
    """Indices of the examples that have a target; `y` is of these."""


def supervision(outputs: Tensor, y: Tensor) -> Supervision:
    """Cross-entropy of labels where a model gives scores of classes, else the squared error.

    Args:
        outputs: of the model, `(B, ...)`.
        y: targets `(B, ...)`: labels as integers or whole floats, or real numbers.

    Raises:
        ValueError: when they fit no loss; the sentence says what to change.
    """
    if not outputs.is_floating_point():
        raise ValueError(f"outputs are {outputs.dtype}, must be floating to have a loss; measure the scores")
    shape = (len(outputs), *outputs.shape[2:])
    if outputs.ndim > 1 and outputs.shape[1] > 1 and _without_ones(y.shape) == _without_ones(shape) and _whole(y):
        return _classes(outputs, y.reshape(shape).long())
    if y.is_floating_point() and _without_ones(y.shape) == _without_ones(outputs.shape):
        return Supervision(mse, y.reshape(outputs.shape), torch.arange(len(y), device=y.device))
    raise ValueError(
        f"y: {y.dtype} of shape {tuple(y.shape)} fits no loss of outputs of shape {tuple(outputs.shape)}; "
        "give labels (B,) for scores (B, classes), or floats of the shape of the outputs"
    )


def masked_cross_entropy(outputs: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of each example `(B,)`, averaged over what has a label."""
    losses = F.cross_entropy(outputs, y, reduction="none").reshape(len(y), -1)
    return losses.sum(1) / (y != NO_LABEL).reshape(len(y), -1).sum(1)


def _classes(outputs: Tensor, y: Tensor) -> Supervision:
    classes = outputs.shape[1]
    for mark in MARKS:
        y = y.masked_fill(y == mark, NO_LABEL) if not 0 <= mark < classes else y
    labels = y[y != NO_LABEL]
    if not len(labels):
        raise ValueError("y: no example has a label; give labels, or leave y out")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        remedy = (
            "number the classes from 0, such as y - 1" if low > 0 else "give the labels that the model was made for"
        )
        raise ValueError(f"y: labels lie in [{low}, {high}], and the model tells {classes} classes apart; {remedy}")
    chosen = (y != NO_LABEL).reshape(len(y), -1).any(1).nonzero()[:, 0]
    return Supervision(masked_cross_entropy, y[chosen], chosen)


def _whole(y: Tensor) -> bool:
    return not y.is_floating_point() or bool((y == y.round()).all())


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without axes of length 1 behind the first."""
    return (*shape[:1], *(size for size in shape[1:] if size != 1))
