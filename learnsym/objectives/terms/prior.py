"""The prior of relaxed layers: what a layer costs that leaves its symmetry."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives._objective import Loss
from learnsym.objectives.terms._term import Term, checked_weight
from learnsym.relax.penalised import penalised


@final
class Prior(Term):
    """Per example, the negative log prior of every layer that has one: `weight / N * Σ_layers penalty()`.

    With the mean negative log likelihood as the loss and weight 1 the minimum of both is the most probable network, and
    for layers whose penalty is a KL divergence (`relax.VariationalPathway`) it is the negative evidence bound per
    example.

    Reference: Finzi, Benton, Wilson (2021), arXiv 2112.01388, for two weight decays.

    Args:
        examples: `N`, the number of training examples.
        weight: 1 for Bayes' rule; less trusts the data more.

    Raises:
        ValueError: when `examples` is below 1 or the weight negative.
    """

    kinds = ("prior",)

    def __init__(self, examples: int, weight: float = 1.0) -> None:
        super().__init__()
        if examples < 1:
            raise ValueError(f"examples: got {examples}, must be the number of training examples, at least 1")
        self.examples = examples
        self.weight = checked_weight(weight)

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        prior = penalty(model, x) * (self.weight / self.examples)
        return Loss(prior, {"prior": prior.detach()})


def penalty(model: nn.Module, like: Tensor) -> Float[Tensor, ""]:
    """The sum of `penalty()` over the layers that have it; 0 for none."""
    terms = [layer.penalty() for layer in penalised(model)]
    return torch.stack(terms).sum() if terms else like.new_zeros(())
