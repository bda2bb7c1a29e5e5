"""The loss on targets that move with the inputs, such as label maps."""

from __future__ import annotations

from torch import Tensor, nn

from learnsym.actions import Action
from learnsym.augment import Augmented
from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.losses import LossFunction, loss_of
from learnsym.objectives.regularised import Regularised
from learnsym.objectives.score import with_score
from learnsym.objectives.supervised import output_of
from learnsym.objectives.terms import Regulariser, Reward, sparse_norm
from learnsym.parts import Whole


class CoMoved(Regularised):
    """The loss with inputs and targets moved by the same elements, with a reward for wide distributions.

        L = E_{g ~ mu} loss(net(g · x), g · y) + weight * sum over learned distributions of regulariser(mu)

    A fill of the target action that the loss ignores keeps what comes from outside of the image out of the loss. In
    evaluation, and for a model that is not `Augmented`, the loss is that of the model's own outputs on the targets.

    Reference: Benton, Finzi, Izmailov, Wilson, "Learning invariances in neural networks" (2020), arXiv 2010.11882.

    Args:
        loss_fn: `(outputs, targets) -> scalar`, such as `objectives.Segmentation(ignore=11)`.
        on_target: how elements move the targets, such as `actions.LabelMap(fill=11)`.
        regulariser, weight: of the reward, see `terms.Reward`.

    Raises:
        ValueError: when the weight is negative.

    Example:
        >>> symmetry = ls.augment.equivariant(ls.symmetry_by_name("rotation2d"))
        >>> model = ls.augment.Augmented(nn.Conv2d(3, 4, 3, padding=1), symmetry)
        >>> objective = ls.objectives.CoMoved(ls.objectives.Segmentation(ignore=3), ls.actions.LabelMap(fill=3))
        >>> bool(objective(model, (torch.rand(2, 3, 8, 8), torch.zeros(2, 8, 8, dtype=torch.long))).total.isfinite())
        True
    """

    def __init__(
        self, loss_fn: LossFunction, on_target: Action, regulariser: Regulariser = sparse_norm, weight: float = 0.03
    ) -> None:
        super().__init__(MovedTogether(loss_fn, on_target), [Reward(regulariser, weight)])


class MovedTogether:
    """The loss with inputs and targets moved by the same elements, and nothing else: the task of `CoMoved`."""

    def __init__(self, loss_fn: LossFunction, on_target: Action) -> None:
        self.loss_fn = loss_fn
        self.on_target = on_target

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        task = self._task(model, *batch)
        return Loss(task, {"task": task.detach()})

    def _task(self, model: nn.Module, x: Whole, y: Tensor) -> Tensor:
        if not (isinstance(model, Augmented) and model.training):
            return loss_of(self.loss_fn, output_of(model(x)), y)
        g = model.elements(x)
        moved_x, moved_y = model.together(x, y, self.on_target, g)
        score = model.law(x).score(g) if model.draws_need_score else None
        outputs = model.symmetry.output(model.net(moved_x))
        return with_score(self.loss_fn, outputs, moved_y, None if score is None else score.reshape(1, -1))
