"""Likelihoods of outputs, with a root of their curvature.

Legend of axes: `B` batch, `D` outputs of an example.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class Likelihood(Protocol):
    """`p(y | f)` for outputs `f`, and `S` with `S S^T = -∇² log p(y | f)`, which does not depend on `y`."""

    def log_prob(self, outputs: Float[Tensor, "B D"], y: Tensor) -> Float[Tensor, "B"]:
        """Of each example."""
        ...

    def root(self, outputs: Float[Tensor, "B D"]) -> Float[Tensor, "B D D"]:
        """`S` of each example."""
        ...

    def per_loss(self, outputs: int) -> float:
        """By how much the negative log likelihood of an example grows with the loss that is trained."""
        ...


@dataclass(frozen=True)
class Classes:
    """Classes by the softmax `p` of logits, trained by cross-entropy: `S = diag(√p) - p √p^T`."""

    def log_prob(self, outputs: Float[Tensor, "B D"], y: Int[Tensor, "B"]) -> Float[Tensor, "B"]:
        return -F.cross_entropy(outputs, y, reduction="none")

    def root(self, outputs: Float[Tensor, "B D"]) -> Float[Tensor, "B D D"]:
        # (diag(√p) - p √p^T)(diag(√p) - √p p^T) = diag(p) - p p^T, as Σ p = 1
        log_p = outputs.log_softmax(-1)
        roots = (log_p / 2).exp()
        return torch.diag_embed(roots) - log_p.exp().unsqueeze(-1) * roots.unsqueeze(-2)

    def per_loss(self, outputs: int) -> float:
        return 1.0


@dataclass(frozen=True)
class NormalNoise:
    """Numbers with normal noise, trained by the mean squared error: `S = 1 / σ`."""

    variance: float

    def log_prob(self, outputs: Float[Tensor, "B D"], y: Tensor) -> Float[Tensor, "B"]:
        squares = (outputs - y.reshape(outputs.shape)).square()
        return -0.5 * (squares / self.variance + math.log(2 * math.pi * self.variance)).sum(1)

    def root(self, outputs: Float[Tensor, "B D"]) -> Float[Tensor, "B D D"]:
        one = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)
        return (one / math.sqrt(self.variance)).expand(len(outputs), -1, -1)

    def per_loss(self, outputs: int) -> float:
        # -log p = D mse / (2 σ²) + const
        return outputs / (2 * self.variance)
