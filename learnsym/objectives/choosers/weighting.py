"""Weights of penalties beside the task, one each: what a chooser sets where the degree lives in the loss."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._processes import mean_over_processes

Values = dict[str, Tensor]


class Weighting(nn.Module, abc.ABC):
    """Weights of penalties, one each; what they have learned is kept in buffers, so that runs resume."""

    unit: str
    """In which degrees are read."""
    needs_held_out = False
    """Whether `update` reads losses of examples on which the network is not trained."""

    def __init__(self, names: Sequence[str], start: float) -> None:
        super().__init__()
        if not names or len(set(names)) < len(names):
            raise ValueError(f"names: got {list(names)}, must be one name per penalty, all different")
        if not start >= 0:
            raise ValueError(f"start: got {start}, must be a weight >= 0; 1 is usual")
        self.names = tuple(names)
        self.weights: Tensor
        self.register_buffer("weights", torch.full((len(self.names),), float(start)))

    @abc.abstractmethod
    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        """Move the weights after a look at this step's task loss and penalties, before they are used."""

    @abc.abstractmethod
    def estimates(self) -> list[float]:
        """How much of each symmetry the weights stand for; empty when they were not learned."""

    def forward(self, task: Tensor, penalties: Values) -> Tensor:
        """`task + Σ_k w_k penalty_k`."""
        stacked = torch.stack([penalties[name] for name in self.names])
        if self.training:
            self.update(task, stacked)
        return task + (self.weights.to(stacked) * stacked).sum()


def unregistered(shared: Sequence[nn.Parameter]) -> tuple[list[nn.Parameter]]:
    """Parameters that belong to the network: a list in a tuple is not registered."""
    if not shared:
        raise ValueError("shared: got no parameter; give those of the last layer, list(net.head.parameters())")
    return (list(shared),)


def gradient(loss: Tensor, parameters: list[nn.Parameter]) -> Float[Tensor, "P"]:
    grads = torch.autograd.grad(loss, parameters, retain_graph=True, materialize_grads=True)
    return mean_over_processes(torch.cat([grad.float().flatten() for grad in grads]))
