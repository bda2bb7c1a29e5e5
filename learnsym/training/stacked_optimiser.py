"""AdamW and SGD on rows of weights, each with a learning rate and a weight decay of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.training.config import OptimiserConfig
from learnsym.training.optimiser import rate_factor

EPS, SECOND = 1e-8, 0.999
"""As `make_optimiser` leaves them to torch.optim.AdamW."""


class StackedOptimiser:
    """The updates of `make_optimiser`, for all rows of `weights (M, P)` at once.

    With per-row rate eta and weight decay lambda, AdamW (Loshchilov, Hutter 2019, arXiv 1711.05101) is

        w <- (1 - eta lambda) w - eta (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    and SGD adds lambda w to the gradient, as torch does. `clip` bounds the norm of each row of the gradient.

    Raises:
        ValueError: when the configurations are not one per row, or differ in more than rates and weight decays.
    """

    def __init__(self, weights: Float[Tensor, "M P"], configs: Sequence[OptimiserConfig], steps: int) -> None:
        if len(configs) != len(weights):
            raise ValueError(f"optimiser: got {len(configs)}, must be one, or one for each of {len(weights)} members")
        if len({replace(c, lr=0.0, weight_decay=0.0, symmetry_lr=0.0) for c in configs}) > 1:
            raise ValueError(
                "optimiser: members differ in more than lr and weight_decay; train them in ensembles apart"
            )
        self.weights, self.config, self.steps = weights, configs[0], steps
        # as torch: rates in double precision, whatever the weights are
        self.lr = torch.tensor([[c.lr] for c in configs], dtype=torch.float64, device=weights.device)
        self.decay = torch.tensor([[c.weight_decay] for c in configs], dtype=torch.float64, device=weights.device)
        self.first = torch.zeros_like(weights)
        self.second = torch.zeros_like(weights) if self.config.name == "adamw" else None

    def rates(self, step: int) -> Float[Tensor, "M 1"]:
        """The learning rate of each row at `step` (0, 1, ...), in double precision."""
        return self.lr * rate_factor(self.config, step, self.steps)

    @torch.no_grad()
    def update(self, gradient: Float[Tensor, "M P"], step: int) -> None:
        """One step; `gradient` is used up."""
        if self.config.clip is not None:
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            gradient.mul_((self.config.clip / (norm + 1e-6)).clamp(max=1.0))
        (self._adamw if self.config.name == "adamw" else self._sgd)(gradient, step)

    def _adamw(self, gradient: Tensor, step: int) -> None:
        assert self.second is not None
        rates, b1, dtype = self.rates(step), self.config.momentum, gradient.dtype
        root = math.sqrt(1 - SECOND ** (step + 1))
        self.weights.mul_((1 - rates * self.decay).to(dtype))
        self.first.lerp_(gradient, 1 - b1)
        self.second.mul_(SECOND).addcmul_(gradient, gradient, value=1 - SECOND)
        torch.sqrt(self.second, out=gradient).add_(EPS * root)
        torch.div(self.first, gradient, out=gradient)
        self.weights.addcmul_(gradient, (rates * (-root / (1 - b1 ** (step + 1)))).to(dtype))

    def _sgd(self, gradient: Tensor, step: int) -> None:
        gradient.addcmul_(self.weights, self.decay.to(gradient.dtype))
        self.first.mul_(self.config.momentum).add_(gradient)
        self.weights.addcmul_(self.first, -self.rates(step).to(gradient.dtype))
