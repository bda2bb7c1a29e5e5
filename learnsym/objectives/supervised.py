"""The loss on the targets alone."""

from __future__ import annotations

from torch import Tensor, nn

from learnsym.augment import Augmented
from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.averaging import check_average, check_log_probabilities
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.score import with_score


class Supervised:
    """The loss of the outputs on the targets of a batch `(x, y)`, and nothing else: no term of any learner.

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


def task_loss(loss_fn: LossFunction, model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The loss of the outputs on the targets, with the score gradient of discrete draws in training.

    Raises:
        ValueError: when the average over copies of the model does not fit the loss.
    """
    check_average(loss_fn, model)
    if not (isinstance(model, Augmented) and model.training and model.draws_need_score):
        outputs, score = model(x), None
    else:
        g = model.elements(x)
        outputs, score = model.outputs(x, g), model.distribution(x).score(g)
    check_log_probabilities(loss_fn, model, outputs)
    return with_score(loss_fn, outputs, y, score)
