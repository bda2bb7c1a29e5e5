"""Data augmentation: the loss on examples that are moved together with their targets, at random."""

from __future__ import annotations

from torch import Tensor, nn

from learnsym.augment.first_batches import FirstBatches
from learnsym.distributions import GroupDistribution
from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.averaging import check_average
from learnsym.objectives.candidate import Candidate
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.regularised import Regularised
from learnsym.objectives.supervised import Supervised
from learnsym.parts import Whole
from learnsym.ragged import mask_of
from learnsym.symmetry import SymmetryLike, as_symmetry


class MovedExamples(Regularised):
    """The loss on moved examples and their moved targets: data augmentation for targets that move with the inputs.

        L = E_{g ~ mu} loss(f(g · x), g · y),    one g for each example and copy

    In training the network sees moved examples only; in evaluation the loss is that on the examples as they are. Under
    the Haar measure a network with loss 0 is equivariant on the orbits of the training examples, not beyond.

    Reference: Chen, Dobriban, Lee, "A group-theoretic framework for data augmentation" (2020), arXiv 1907.10905.

    Args:
        loss_fn: `(outputs, targets) -> scalar`.
        symmetry: how elements move inputs and targets; or its name.
        copies: moved copies of each example.
        distribution: of the elements; the Haar measure of a compact group when None.

    Raises:
        ValueError: when there is no copy, or no distribution on a group that is not compact.

    Example:
        >>> symmetry = ls.symmetry.so3(on_output=ls.actions.PointCloud())
        >>> objective = ls.objectives.MovedExamples(ls.objectives.mse, symmetry)
        >>> net, x = nn.Identity(), torch.randn(8, 5, 3)
        >>> objective(net, (x, 2 * x)).total.allclose(x.square().mean())  # an equivariant network gains nothing
        True
    """

    def __init__(
        self,
        loss_fn: LossFunction,
        symmetry: SymmetryLike,
        copies: int = 1,
        distribution: GroupDistribution | None = None,
    ) -> None:
        super().__init__(Moved(loss_fn, symmetry, copies, distribution))


class Moved:
    """The loss on moved examples and their moved targets, and nothing else: the task of `MovedExamples`."""

    def __init__(
        self, loss_fn: LossFunction, symmetry: SymmetryLike, copies: int, distribution: GroupDistribution | None
    ) -> None:
        symmetry = as_symmetry(symmetry)
        self.unmoved = Supervised(loss_fn, symmetry.on_output.part.key)
        self.first_batches = FirstBatches(symmetry)
        self.moves = Candidate(symmetry=symmetry, mode="anchored", samples=copies, distribution=distribution)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        if not model.training:
            return self.unmoved(model, batch)
        check_average(self.unmoved.loss_fn, model)
        x, y = batch
        self.first_batches.check(x)
        g = self.elements(x)
        moved = self.moves.moved(g, x)
        at_moved = self.moves.statement.output(model(moved))
        masks = mask_of(x), mask_of(moved)
        task = self.moves.penalty(self.unmoved.loss_fn, g, at_moved, None, y, *masks)
        return Loss(task, {"task": task.detach()})

    def elements(self, x: Whole) -> Tensor:
        """The elements `(S, B, n, n)` that move the examples of a batch: drawn anew."""
        return self.moves.elements(x)
