"""Validation as the chooser: weights follow the loss on the batch, distributions the loss on held-out examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn

from learnsym.augment import Augmented
from learnsym.distributions.noise import random_examples
from learnsym.objectives._objective import Loss
from learnsym.objectives.co_moved import CoMoved
from learnsym.objectives.supervised import Augerino, Batch, learned_distributions


class Bilevel:
    """A regularised objective whose distributions are chosen by held-out examples, one step of each at a time.

        weights        follow  grad of  E_{g ~ mu} loss(f(g · x), y)            on the batch
        distributions  follow  grad of  E loss(f_K(x'), y') + weight * R(mu)    on held-out examples

    where `f_K` averages over `copies` draws. The training loss alone narrows a distribution for as long as the network
    is still being fitted; a held-out loss does not, and with several copies it also sees what averaging gains. With
    one copy it asks for strict invariance: each draw alone must keep the answer. In the held-out pass batch norm and
    dropout are those of evaluation. This is the first-order form of bilevel optimisation: how the weights would answer
    to another distribution is left out.

    A model without a learned distribution, and any model in evaluation, has the objective itself.

    Reference: Liu, Simonyan, Yang, "DARTS" (2019), arXiv 1806.09055, first-order variant; for distributions over
    transformations our own.

    Args:
        objective: with a regulariser; used for both levels.
        held_out: inputs, floating, and targets that the weights never see and that no result is reported on.
        batch_size: held-out examples per step, of all processes together.
        copies: transformed copies per held-out example.

    Raises:
        ValueError: when `batch_size` or `copies` is below 1, or the inputs are not floating.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        >>> model = ls.augment.Augmented(net, ls.symmetry_by_name("rotation2d"))
        >>> held_out = torch.rand(9, 1, 8, 8), torch.arange(9) % 3
        >>> objective = ls.objectives.Bilevel(ls.objectives.Augerino(nn.functional.cross_entropy), held_out)
        >>> sorted(objective(model, (torch.rand(2, 1, 8, 8), torch.tensor([0, 2]))).parts)
        ['held_out', 'regulariser', 'task']
    """

    def __init__(
        self, objective: Augerino | CoMoved, held_out: Batch, *, batch_size: int = 32, copies: int = 4
    ) -> None:
        for name, value in (("batch_size", batch_size), ("copies", copies)):
            if value < 1:
                raise ValueError(f"{name}: got {value}, must be >= 1; one held-out example and copy are the fewest")
        if not held_out[0].is_floating_point():
            raise ValueError(f"held_out: got inputs of {held_out[0].dtype}, must be floating; `Dataset.inputs` are")
        self.objective = objective
        self.held_out = held_out
        self.batch_size = batch_size
        self.copies = copies

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        chosen = {id(p) for distribution in learned_distributions(model) for p in distribution.parameters()}
        if not chosen or not model.training:
            return self.objective(model, batch)
        with _frozen(p for p in model.parameters() if id(p) in chosen):
            trained = self.objective(model, batch)
        with _frozen(p for p in model.parameters() if id(p) not in chosen), _predicting(model, self.copies):
            held_out = self.objective(model, self._held_out_batch(batch[0]))
        parts = {**held_out.parts, "held_out": held_out.parts["task"], "task": trained.parts["task"]}
        return Loss(trained.total + held_out.total, parts)

    def _held_out_batch(self, like: Tensor) -> Batch:
        x, y = self.held_out
        self.held_out = x, y = x.to(like.device), y.to(like.device)
        chosen = random_examples(len(x), self.batch_size, like.device)
        return x[chosen], y[chosen]


@contextmanager
def _frozen(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """No gradient for these parameters from what is computed within."""
    asked = [p for p in parameters if p.requires_grad]
    try:
        for p in asked:
            p.requires_grad_(False)
        yield
    finally:
        for p in asked:
            p.requires_grad_(True)


@contextmanager
def _predicting(model: nn.Module, copies: int) -> Iterator[None]:
    """Augmented networks in evaluation mode, their elements still drawn at random, `copies` per example."""
    with ExitStack() as stack:
        for site in [module for module in model.modules() if isinstance(module, Augmented)]:
            stack.callback(setattr, site, "copies", site.copies)
            site.copies = copies
            for module in [module for module in site.net.modules() if module.training]:
                stack.callback(setattr, module, "training", True)
                module.training = False
        yield
