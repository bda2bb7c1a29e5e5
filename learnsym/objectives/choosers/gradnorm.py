"""Equal gradients as the chooser of weights in the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._processes import mean_over_processes
from learnsym._settings import NotNegative, Positive
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.weighting import Weighting, gradient, unregistered


@dataclass(frozen=True, kw_only=True)
class EqualGradients(Chooser):
    """Weights that bring the gradients of task and penalties to like size, see `objectives.GradNorm`."""

    name: Literal["gradnorm"] = "gradnorm"
    """Chooser of the degree of symmetry."""
    restoring: NotNegative = 1.5
    """Exponent; larger brings rates of learning together more strongly."""
    rate: Positive = 0.025
    """Learning rate of the weights."""

    label = "gradnorm"
    note = "Weights in the loss bring the gradients of the task and of each penalty to like size."

    needs = "gradients in the last layer"

    def weighting(self, names: Sequence[str], weight: float, shared: Sequence[nn.Parameter]) -> Weighting:
        """Weights that start at `weight`."""
        return GradNorm(names, shared, restoring=self.restoring, rate=self.rate, start=weight)


class GradNorm(Weighting):
    """Weights that bring the gradients of task and penalties to like size, faster for what has been learned less.

        G_k = w_k |∇ L_k|,    target_k = mean_j G_j · (r_k / mean_j r_j)^restoring,    r_k = L_k(t) / L_k(0)
        w_k ← w_k - rate · sign(G_k - target_k) |∇ L_k|,    then Σ w = number of losses

    The task is one of the losses, and the weights reported are relative to its own. The gradient of `|G - target|` to
    the weights is exact and linear, so that no second derivative reaches the network.

    Reference: Chen, Badrinarayanan, Lee, Rabinovich, "GradNorm" (2018), arXiv 1711.02257.

    Args:
        names: of the penalties.
        shared: parameters in which gradients are compared, usually those of the last layer.
        restoring: exponent; larger brings rates of learning together more strongly.
        rate: learning rate of the weights.
        start: relative weight of each penalty at the start.

    Raises:
        ValueError: without shared parameters.
    """

    unit = "weight"

    def __init__(
        self,
        names: Sequence[str],
        shared: Sequence[nn.Parameter],
        restoring: float = 1.5,
        rate: float = 0.025,
        start: float = 1.0,
    ) -> None:
        super().__init__(names, start)
        self._shared = unregistered(shared)
        self.restoring = restoring
        self.rate = rate
        self.absolute: Tensor
        self.first: Tensor
        self.register_buffer("absolute", self._normalised(torch.cat([torch.ones(1), self.weights])))
        self.register_buffer("first", torch.zeros(len(self.names) + 1))

    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        losses = torch.cat([task[None], penalties])
        norms = torch.stack([gradient(loss, self._shared[0]).norm() for loss in losses])
        now = mean_over_processes(losses.detach())
        self.first.copy_(torch.where(self.first.any(), self.first, now.clamp(min=1e-12)))
        rates = now / self.first
        weighted = self.absolute * norms
        target = weighted.mean() * (rates / rates.mean().clamp(min=1e-12)) ** self.restoring
        step = self.rate * (weighted - target).sign() * norms
        self.absolute.copy_(self._normalised((self.absolute - step).clamp(min=1e-3)))
        self.weights.copy_(self.absolute[1:] / self.absolute[0])

    def estimates(self) -> list[float]:
        """The weights relative to that of the task."""
        return self.weights.tolist()

    @staticmethod
    def _normalised(weights: Tensor) -> Tensor:
        return weights * (len(weights) / weights.sum())
