"""Log likelihoods of single examples, from the outputs of a network.

Legend of axes: `B` batch, `C` classes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from learnsym.objectives.losses import shaped_as

log = logging.getLogger(__name__)

LogLikelihood = Callable[[Tensor, Tensor], Tensor]
"""Takes outputs and targets, gives `log p(y | outputs)` of each example `(B,)`."""


def log_classes(outputs: Float[Tensor, "B C *grid"], y: Tensor) -> Float[Tensor, "B"]:
    """`log p(y)` of logits or log-probabilities of classes, summed over pixels where there are any."""
    if outputs.ndim != y.ndim + 1:
        raise ValueError(
            f"likelihood: got outputs {tuple(outputs.shape)} for class labels {tuple(y.shape)}, must be logits "
            "(B, C); give a likelihood that fits the loss of the network"
        )
    return -F.cross_entropy(outputs.double(), y, reduction="none").reshape(len(y), -1).sum(1)


@dataclass(frozen=True)
class LogNormal:
    """`log N(y; outputs, variance)`, summed over the entries of an example."""

    variance: float

    def __call__(self, outputs: Tensor, y: Tensor) -> Float[Tensor, "B"]:
        squares = (shaped_as(outputs, y).double() - y.double()).square().reshape(len(y), -1)
        constant = torch.tensor(2 * torch.pi * self.variance).log()
        return -0.5 * (squares / self.variance + constant).sum(1)


def usual(y: Tensor, outputs: Callable[[], Tensor]) -> LogLikelihood:
    """That of classes for integer targets; for others a normal law with the mean squared error as its variance."""
    if not y.is_floating_point():
        log.info("likelihood: that of classes, since targets are integers")
        return log_classes
    found = outputs()
    squares = (shaped_as(found, y).double() - y.to(found.device).double()).square()
    variance = max(float(squares.mean()), 1e-12)
    log.info("likelihood: a normal law whose variance is the mean squared error of unmoved examples, %.3g", variance)
    return LogNormal(variance)


def checked(values: Tensor, count: int) -> Float[Tensor, "B"]:
    """Log likelihoods of so many examples.

    Raises:
        ValueError: when they are of another number or not finite.
    """
    if values.shape != (count,) or not bool(values.isfinite().all()):
        raise ValueError(
            f"likelihood: gave shape {tuple(values.shape)} for {count} examples, must be one finite number each; take "
            "no mean over examples, and check the outputs of the network"
        )
    return values
