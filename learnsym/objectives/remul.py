"""Remul: the loss on the targets plus weighted penalties on imperfect symmetry.

Legend of axes: `B` labelled examples, `U` unlabelled ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym.augment.first_batches import FirstBatches
from learnsym.degrees import Degree
from learnsym.distributions.noise import parts, random_examples
from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.averaging import check_average
from learnsym.objectives.candidate import Candidate
from learnsym.objectives.choosers.training import ConstantWeights
from learnsym.objectives.choosers.weighting import Weighting
from learnsym.objectives.losses import LossFunction, loss_of
from learnsym.objectives.regularised import held
from learnsym.objectives.terms import Term
from learnsym.parts import Whole, chosen, device_of, examples, joined, mapped, moved_to, tensors_in
from learnsym.ragged import Ragged, mask_of

Taken = tuple[Whole, int | None, Tensor | Ragged | None]
"""Examples, where they lie in the batch, and their targets."""

OF_LOSS = "a weight of the loss is what one training ended with, train several seeds"


class Remul(nn.Module):
    """Relaxed equivariance through multitask learning: any network learns a symmetry as a second task.

        L = loss(f(x), y) + Σ_k w_k penalty_k(f, x, y)

    The network need not be equivariant by design; how far it is pushed is the weight, which `weighting` chooses. Moved
    examples go through the network together with the batch, so that a candidate with `fraction` φ and `samples` S costs
    φ S of a plain step. Several candidates, each with its own weight, let the data say which of them hold.

    Reference: Elhag, Rusch, Di Giovanni, Bronstein, "Relaxed equivariance via multitask learning" (2024), arXiv
    2410.17878, whose penalty is `anchored`; the other modes, the bank of candidates and the learned weights are ours.

    Args:
        loss_fn: `(outputs, targets) -> scalar`.
        candidates: one symmetry, or several by name.
        weighting: of the penalties; weight 1 for each when None.
        unlabelled: inputs `(U, ...)`, structured like those of batches, from which the penalties take their examples
            instead of from the batch; for modes without labels.
        held_out: inputs and targets on which the network is not trained, from which `ValidationWeights` learns; each
            step takes twice as many of them as the batch has.
        every: steps between penalties; the steps between cost nothing more than plain ones.
        terms: that hold learners of the model; those with usual weights are added by themselves.

    Raises:
        ValueError: when names of weights and candidates differ, or unlabelled data meet a mode that needs labels.

    Example:
        >>> symmetry = ls.symmetry.so3(on_output=ls.actions.PointCloud())
        >>> objective = ls.objectives.Remul(ls.objectives.mse, ls.objectives.Candidate(symmetry=symmetry))
        >>> net = nn.Linear(3, 3)
        >>> sorted(objective(net, (torch.randn(8, 5, 3), torch.randn(8, 5, 3))).parts)
        ['penalty/SO(3)', 'task', 'weight/SO(3)']
    """

    def __init__(
        self,
        loss_fn: LossFunction,
        candidates: Candidate | Mapping[str, Candidate],
        weighting: Weighting | None = None,
        *,
        unlabelled: Whole = None,
        held_out: Batch | None = None,
        every: int = 1,
        terms: Sequence[Term] = (),
    ) -> None:
        super().__init__()
        named = {candidates.statement.name: candidates} if isinstance(candidates, Candidate) else dict(candidates)
        self.loss_fn = loss_fn
        self.candidates = named
        self.weighting = ConstantWeights(list(named)) if weighting is None else weighting
        self.unlabelled = unlabelled
        self.held_out = held_out
        self.every = every
        self.terms = nn.ModuleList(terms)
        self.first_batches = [FirstBatches(candidate.statement) for candidate in named.values()]
        self.step = 0
        self._check()

    def forward(self, model: nn.Module, batch: Batch) -> Loss:
        """The loss of a batch `(x, y)` with its parts."""
        check_average(self.loss_fn, model)
        for batches in self.first_batches:
            batches.check(batch[0])
        return held(self._weighed(model, *batch), model, batch, cast("list[Term]", list(self.terms)))

    def _weighed(self, model: nn.Module, x: Whole, y: Tensor | Ragged) -> Loss:
        due = not model.training or self.step % self.every == 0
        if model.training:
            self.step += 1
        if not due:
            task = loss_of(self.loss_fn, self._outputs(model, x), y)
            return self._loss(task, task, {name: torch.zeros_like(task) for name in self.candidates})
        task, penalties = self._evaluate(model, x, y, self.unlabelled)
        self.weighting.train(model.training)
        if not (self.weighting.needs_held_out and model.training):
            return self._loss(self.weighting(task, penalties), task, penalties)
        self._learn_from_held_out(model, len(y))
        return self._loss(self.weighting.eval()(task, penalties), task, penalties)

    def get_extra_state(self) -> int:
        """The number of steps seen, which is kept on the host."""
        return self.step

    def set_extra_state(self, state: int) -> None:
        """Go on after so many steps."""
        self.step = state

    def degrees(self, site: str = "loss") -> list[Degree]:
        """What the weights have learned: one degree per candidate."""
        return [
            Degree(
                site=site,
                group=self.candidates[name].statement.name,
                generator=name,
                unit=self.weighting.unit,
                notion="task",
                estimate=estimate,
                method=f"multitask ({self.candidates[name].mode})",
                status="no interval",
                reason=OF_LOSS,
            )
            for name, estimate in zip(self.weighting.names, self.weighting.estimates(), strict=False)
        ]

    def _outputs(self, model: nn.Module, x: Whole) -> Tensor:
        """The part of what the model returns that every candidate is about."""
        return next(iter(self.candidates.values())).statement.output(model(x))

    def _evaluate(
        self, model: nn.Module, x: Whole, y: Tensor | Ragged, pool: Whole
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Task loss and penalties, in one pass of the network over everything that it is asked."""
        taken = self._taken(x, y, pool)
        drawn = {name: self.candidates[name].elements(inputs) for name, (inputs, _, _) in taken.items()}
        moved = {name: self.candidates[name].moved(drawn[name], inputs) for name, (inputs, _, _) in taken.items()}
        asked = [x]
        for name, (inputs, start, _) in taken.items():
            asked.append(moved[name])
            if start is None and self.candidates[name].needs_outputs:
                asked.append(inputs)
        outputs = list(self._outputs(model, joined(asked)).split([examples(part) for part in asked]))
        at_batch = outputs.pop(0)
        penalties = {}
        for name, (inputs, start, targets) in taken.items():
            at_moved = outputs.pop(0)
            at_x = None if start is None else at_batch[start : start + examples(inputs)]
            if start is None and self.candidates[name].needs_outputs:
                at_x = outputs.pop(0)
            masks = mask_of(inputs), mask_of(moved[name])
            penalty = self.candidates[name].penalty
            penalties[name] = penalty(self.loss_fn, drawn[name], at_moved, at_x, targets, *masks)
        return loss_of(self.loss_fn, at_batch, y), penalties

    def _taken(self, x: Whole, y: Tensor | Ragged, pool: Whole) -> dict[str, Taken]:
        """For each candidate its examples, where they lie in the batch (None for the pool), and their targets."""
        taken: dict[str, Taken] = {}
        offset, size, device = 0, examples(x), device_of(x)
        for name, candidate in self.candidates.items():
            count = candidate.count(size)
            if pool is not None:
                pool = self.unlabelled = _alike(pool, x)
                picked = random_examples(examples(pool), count * parts(), device)
                taken[name] = chosen(pool, picked), None, None
                continue
            # one candidate after the other, so that together they see the batch
            offset = offset if offset + count <= size else 0
            some = slice(offset, offset + count)
            taken[name] = chosen(x, some), offset, chosen(y, some)
            offset += count
        return taken

    def _learn_from_held_out(self, model: nn.Module, count: int) -> None:
        """Task loss on some held-out examples and penalties on others, so that their gradients are independent."""
        if self.held_out is None:
            raise ValueError("held_out: got None; ValidationWeights learns from examples that are not trained on")
        like = next(model.parameters())
        x, y = self.held_out
        self.held_out = x, y = moved_to(x, like.device), moved_to(y, like.device)
        first, second = (random_examples(len(y), count * parts(), like.device) for _ in range(2))
        with evaluating(model):
            task = loss_of(self.loss_fn, self._outputs(model, chosen(x, first)), chosen(y, first))
            _, penalties = self._evaluate(model, chosen(x, second), chosen(y, second), None)
        self.weighting.train()(task, penalties)

    def _loss(self, total: Tensor, task: Tensor, penalties: Mapping[str, Tensor]) -> Loss:
        parts = {"task": task.detach()}
        for place, name in enumerate(self.weighting.names):
            parts[f"penalty/{name}"] = penalties[name].detach()
            parts[f"weight/{name}"] = self.weighting.weights[place].detach().clone()
        return Loss(total, parts)

    def _check(self) -> None:
        if set(self.weighting.names) != set(self.candidates):
            raise ValueError(
                f"weighting: has weights of {', '.join(self.weighting.names)}, the candidates are "
                f"{', '.join(self.candidates)}; name both alike"
            )
        outputs = {candidate.statement.on_output.part.key for candidate in self.candidates.values()}
        if len(outputs) > 1:
            keys = ", ".join(sorted(map(repr, outputs)))
            raise ValueError(f"candidates: are about different outputs ({keys}), must be about one; see Symmetry.at")
        labelled = [name for name, candidate in self.candidates.items() if candidate.needs_labels]
        if self.unlabelled is not None and labelled:
            raise ValueError(f"unlabelled: {labelled[0]} is anchored to labels; use the mode functional or twirl")
        if self.held_out is not None and not self.weighting.needs_held_out:
            kind = type(self.weighting).__name__
            raise ValueError(f"held_out: {kind} does not read held-out examples; give them to ValidationWeights only")
        if self.every < 1:
            raise ValueError(f"every: got {self.every}, must be >= 1; 1 penalises every step")


def _alike(pool: Whole, x: Whole) -> Whole:
    """Inputs of the dtypes and device of others, padded like them."""
    own, other = mask_of(pool), mask_of(x)
    if own is not None and other is not None and own.shape[1] != other.shape[1]:
        raise ValueError(
            f"unlabelled: its clouds are padded to {own.shape[1]} points, those of the batch to {other.shape[1]}; make "
            "them by one Ragged.of and split it"
        )
    likes = iter([tensor for _, tensor in tensors_in(x)])
    return mapped(lambda t: t.to(next(likes)), pool)
