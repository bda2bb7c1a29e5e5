"""The loss on the targets alone."""

from __future__ import annotations

from torch import Tensor, nn

from learnsym.augment import Augmented
from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.averaging import check_average, check_log_probabilities
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.score import with_score
from learnsym.parts import Part, Whole, described
from learnsym.ragged import Ragged


class Supervised:
    """The loss of the outputs on the targets of a batch `(x, y)`, and nothing else: no term of any learner.

    Args:
        loss_fn: `(outputs, targets) -> scalar`.
        output: key of the part of what the model returns that is its output, such as `logits`, see `parts.Part`; empty
            for one tensor. A model that returns one tensor, as those of `augment` do, has taken it out itself.

    Example:
        >>> objective = ls.objectives.Supervised(nn.functional.cross_entropy)
        >>> sorted(objective(nn.Linear(4, 3), (torch.rand(5, 4), torch.zeros(5, dtype=torch.long))).parts)
        ['task']
    """

    def __init__(self, loss_fn: LossFunction, output: str = "") -> None:
        self.loss_fn = loss_fn
        self.output = output

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        x, y = batch
        task = task_loss(self.loss_fn, model, x, y, self.output)
        return Loss(task, {"task": task.detach()})


def task_loss(loss_fn: LossFunction, model: nn.Module, x: Whole, y: Tensor | Ragged, output: str = "") -> Tensor:
    """The loss of the outputs on the targets, with the score gradient of discrete draws in training.

    Raises:
        ValueError: when the average over copies of the model does not fit the loss, or the model has no such output.
    """
    check_average(loss_fn, model)
    if not (isinstance(model, Augmented) and model.training and model.draws_need_score):
        outputs, score = output_of(model(x), output), None
    else:
        g = model.elements(x)
        outputs, score = model.outputs(x, g), model.law(x).score(g)
    check_log_probabilities(loss_fn, model, outputs)
    return with_score(loss_fn, outputs, y, score)


def output_of(returned: Whole, output: str = "") -> Tensor:
    """The tensor of what a model returns that a loss is about; a single tensor is that itself.

    Raises:
        ValueError: when there is no such part, or it is not said which one it is.
    """
    if isinstance(returned, Tensor):
        return returned
    found = Part(output, "output").get(returned)
    if not isinstance(found, Tensor):
        raise ValueError(
            f"output: the model returns {described(found)}, of which the loss takes one tensor; name it, as by "
            "Supervised(loss_fn, output='logits') or augment.Plain(net, output='logits')"
        )
    return found
