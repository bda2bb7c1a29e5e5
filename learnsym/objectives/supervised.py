"""The loss on the targets alone, and Augerino's loss with a reward for wide distributions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from learnsym.augment import Augmented
from learnsym.distributions import Fixed, LearnableDistribution
from learnsym.objectives._objective import Loss
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.regularisers import Regulariser, sparse_norm
from learnsym.objectives.score import with_score

Batch = tuple[Tensor, Tensor]


class Supervised:
    """The loss of the outputs on the targets of a batch `(x, y)`.

    Args:
        loss_fn: `(outputs, targets) -> scalar`.

    Example:
        >>> objective = ls.objectives.Supervised(nn.functional.cross_entropy)
        >>> sorted(objective(nn.Linear(4, 3), (torch.rand(5, 4), torch.zeros(5, dtype=torch.long))).parts)
        ['task']
    """

    def __init__(self, loss_fn: LossFunction) -> None:
        self.loss_fn = loss_fn

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        x, y = batch
        task = task_loss(self.loss_fn, model, x, y)
        return Loss(task, {"task": task.detach()})


class Augerino:
    """The loss on the targets, with a reward for wide distributions over group elements.

        L = E_{g ~ mu} loss(f(g · x), y) + weight * sum over learned distributions of regulariser(mu)

    A model without a learned distribution has regulariser 0. With `weight = 0` widths neither grow nor shrink reliably.
    The paper takes `regularisers.squared_norm`, its code `regularisers.norm`; the default is our own.

    Reference: Benton, Finzi, Izmailov, Wilson, "Learning invariances in neural networks" (2020), arXiv 2010.11882.

    Args:
        loss_fn: `(outputs, targets) -> scalar`.
        regulariser: `(distribution, x) -> scalar` to minimise; see `objectives.regularisers`.
        weight: its weight, not negative.

    Raises:
        ValueError: when the weight is negative.

    Example:
        >>> objective = ls.objectives.Augerino(nn.functional.cross_entropy)
        >>> sorted(objective(nn.Linear(4, 3), (torch.rand(5, 4), torch.zeros(5, dtype=torch.long))).parts)
        ['regulariser', 'task']
    """

    def __init__(self, loss_fn: LossFunction, regulariser: Regulariser = sparse_norm, weight: float = 0.03) -> None:
        self.loss_fn = loss_fn
        self.regulariser = regulariser
        self.weight = checked_weight(weight)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        x, y = batch
        return regularised(task_loss(self.loss_fn, model, x, y), model, x, self.regulariser, self.weight)


def task_loss(loss_fn: LossFunction, model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The loss of the outputs on the targets, with the score gradient of discrete draws in training."""
    if not (isinstance(model, Augmented) and model.training and model.draws_need_score):
        return loss_fn(model(x), y)
    g = model.elements(x)
    return with_score(loss_fn, model.outputs(x, g), y, model.distribution(x).score(g))


def regularised(task: Tensor, model: nn.Module, x: Tensor, regulariser: Regulariser, weight: float) -> Loss:
    """The task loss plus the weighted regulariser of every learned distribution in the model."""
    terms = [regulariser(distribution, x) for distribution in learned_distributions(model)]
    reward = torch.stack(terms).sum() if terms else task.new_zeros(())
    return Loss(task + weight * reward, {"task": task.detach(), "regulariser": reward.detach()})


def learned_distributions(module: nn.Module) -> Iterable[LearnableDistribution]:
    """The learned distributions of a model, outermost only: those of a product are parts of it."""
    if isinstance(module, LearnableDistribution):
        if not isinstance(module, Fixed):
            yield module
        return
    for child in module.children():
        yield from learned_distributions(child)


def checked_weight(weight: float) -> float:
    """The weight, or ValueError."""
    if not weight >= 0:
        raise ValueError(f"weight: got {weight}, must be >= 0; 0 leaves the regulariser out")
    return weight
