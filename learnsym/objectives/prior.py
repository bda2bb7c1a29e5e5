"""The loss on the targets with the priors of layers: a posterior mode, or the bound of variational layers."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives._objective import Loss
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.supervised import Batch, checked_weight, task_loss
from learnsym.relax.penalised import penalised


class WithPrior:
    """The mean loss on the targets plus, per example, the negative log prior of every layer that has one.

        L = mean_n loss(f(x_n), y_n) + weight / N * Σ_layers penalty()

    With the mean negative log likelihood as the loss and weight 1 its minimum is the most probable network, and for
    layers whose penalty is a KL divergence (`relax.VariationalPathway`) it is the negative evidence bound per example.

    Reference: Finzi, Benton, Wilson (2021), arXiv 2112.01388, for two weight decays.

    Args:
        loss_fn: `(outputs, targets) -> scalar`, a mean over examples.
        examples: `N`, the number of training examples.
        weight: 1 for Bayes' rule; less trusts the data more.

    Raises:
        ValueError: when `examples` is below 1 or the weight negative.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ResidualPathway(ls.equivariant.EquivariantLinear(fields, fields))
        >>> objective = ls.objectives.WithPrior(nn.functional.cross_entropy, examples=100)
        >>> sorted(objective(net, (torch.rand(5, 4), torch.zeros(5, dtype=torch.long))).parts)
        ['prior', 'task']
    """

    def __init__(self, loss_fn: LossFunction, examples: int, weight: float = 1.0) -> None:
        if examples < 1:
            raise ValueError(f"examples: got {examples}, must be the number of training examples, at least 1")
        self.loss_fn = loss_fn
        self.examples = examples
        self.weight = checked_weight(weight)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        x, y = batch
        task = task_loss(self.loss_fn, model, x, y)
        prior = penalty(model, task) * (self.weight / self.examples)
        return Loss(task + prior, {"task": task.detach(), "prior": prior.detach()})


def penalty(model: nn.Module, like: Tensor) -> Float[Tensor, ""]:
    """The sum of `penalty()` over the layers that have it; 0 for none."""
    terms = [layer.penalty() for layer in penalised(model)]
    return torch.stack(terms).sum() if terms else like.new_zeros(())
