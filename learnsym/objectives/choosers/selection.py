"""Selection among hypotheses as the chooser: networks with no, some and full symmetry compete on held-out examples.

Legend of axes: `H` hypotheses, `N` held-out examples.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Int
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym._processes import processes
from learnsym._settings import Copies, Share
from learnsym.augment import Hypotheses
from learnsym.learners import unwrapped
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser, Examples
from learnsym.objectives.choosers.evidence import (
    calibrated,
    chance,
    loss_per_example,
    winning_probabilities,
)
from learnsym.objectives.choosers.folds import Folds
from learnsym.objectives.choosers.halving import Schedule, schedule, survivors
from learnsym.objectives.choosers.step_count import count_steps
from learnsym.objectives.losses import LossFunction
from learnsym.parts import chosen, device_of, examples, moved_to, split
from learnsym.statistics import LEVEL

logger = logging.getLogger(__name__)

FEWEST = round(1 / (1 - LEVEL))
"""Held-out examples: with fewer, no resample can leave a share of `1 - LEVEL` of them out."""
AT_RUNG, AT_END = 0.04, 0.04
"""Largest cost of the held-out passes at a rung, and of those at the end, in plain trainings."""
FORWARD = 1 / 3
"""Cost of a pass without gradient in passes with one."""
WARMUP = 0.45
LEAST_SCORED = 64
AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Selection(Chooser):
    """Hypotheses from none to full symmetry, which share one network; the validation examples choose among them.

    See `objectives.SuccessiveHalving`; it costs 1.0 to 1.2 plain trainings of as many steps, less the more there are.
    """

    name: Literal["selection"] = "selection"
    """Chooser of the degree of symmetry."""
    warmup: Share = WARMUP
    """Part of the steps in which the hypotheses that are left share one network; after it one is left."""
    copies: Copies = 4
    """Transformed copies per held-out example when hypotheses are dropped; at the end, those of evaluation."""
    folds: Copies = 1
    """1: validation examples choose; more, where data are few: the training examples do, in so many folds."""

    label = "selection"
    note = (
        "They are posterior means over hypotheses by the loss on held-out examples, of which no accuracy here is "
        "reported; intervals hold the noise of these examples and the spacing of the hypotheses."
    )

    needs = "validation examples, or folds"

    def judges(self, train: Examples, val: Examples) -> Examples:
        """The validation examples, or those of training, where they are held out by folds."""
        return train if self.folds > 1 else val

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """Successive halving of the hypotheses of the model."""
        options = {"warmup": self.warmup, "copies": self.copies, "folds": self.folds}
        return SuccessiveHalving(objective, held_out, steps=steps, **options)


class SuccessiveHalving(nn.Module):
    """An objective that trains one network of `augment.Hypotheses` and lets held-out examples choose among their laws.

        1. One network is trained on the laws of all hypotheses in turn. At rungs the held-out loss under each law says
           which go on: a half of them, a half of these, two, one. It is averaged over copies, and that of mean weights,
           since rates are high. Wide laws are learned slowly, so that the widest one within a standard error of the
           best is favoured.
        2. One is left, and has more than half of the steps for itself. The posterior is how often each hypothesis wins
           when the held-out examples are drawn again.

    Hypotheses that were trained side by side would differ by the noise of their trainings, and cost steps, which
    networks gain more from, see `experiments/selection`.

    A hypothesis whose held-out loss is no better than that of constant outputs never wins: a network that has not
    been trained must not choose. "none" is left when that is so for all.

    Where data are few, hypotheses are cross-fitted: `held_out` are the training examples, and there is a network for
    each fold, which is scored on that fold and trained on the others. Folds take steps in turn, so that this
    costs no more. After the choice another network is trained from its start, on all examples and that law: one that
    has learned few of them by heart would be behind it (Ash, Adams 2020, arXiv 1910.08475).

    Reference: Jamieson, Talwalkar (2016), arXiv 1502.07943, for successive halving; Izmailov et al. (2018), arXiv
    1803.05407, for means of weights; for symmetries our own.

    Args:
        objective: loss on the targets with the terms of all learners.
        held_out: inputs and targets that the weights never see and that no result is reported on; with several folds,
            the training examples.
        steps: of the training in all; the answer is given at the last one.
        warmup: part of the steps in which hypotheses share one network, and are dropped.
        copies: transformed copies per held-out example at the rungs.
        folds: of the held-out examples, when they are those of training; as many as the model has.

    Raises:
        ValueError: for fewer held-out examples than an interval needs, or than folds; in training, when the model is
            not `augment.Hypotheses` of as many folds or no examples are held out.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        >>> model = ls.augment.Hypotheses(net, "rotation2d")
        >>> held_out = torch.rand(12, 1, 8, 8), torch.arange(12) % 3
        >>> task = ls.objectives.Supervised(nn.functional.cross_entropy)
        >>> objective = ls.objectives.SuccessiveHalving(task, held_out, steps=20)
        >>> batches = [(torch.rand(4, 1, 8, 8), torch.tensor([0, 2, 1, 0]))]
        >>> history = ls.training.fit(model, objective, batches, steps=20)
        >>> abs(sum(model.posterior().values()) - 1) < 1e-5
        True
    """

    seen: int
    passes: Tensor
    guess: Tensor

    def __init__(
        self,
        objective: Objective,
        held_out: Batch | None,
        *,
        steps: int,
        warmup: float = WARMUP,
        copies: int = 4,
        folds: int = 1,
    ) -> None:
        super().__init__()
        count = 0 if held_out is None else len(held_out[1])
        if held_out is not None and count < FEWEST:
            remedy = "set data.val higher, or chooser.folds to 2" if folds == 1 else "give more training examples"
            raise ValueError(
                f"held_out: got {count} examples, must be at least {FEWEST} for an interval at {LEVEL:.0%}; {remedy}, "
                "or take the chooser training"
            )
        self.folds = Folds(count, folds)
        self.objective = objective
        self.held_out = held_out
        self.steps, self.warmup, self.copies = steps, warmup, copies
        count_steps(self)
        self.register_buffer("passes", torch.zeros((), dtype=torch.float64))
        self.averages: dict[str, Tensor] = {}
        self.losses = torch.zeros(0)
        self.last = torch.zeros(0, dtype=torch.long)
        self.register_buffer("guess", torch.tensor(math.inf, dtype=torch.float64))

    def forward(self, model: nn.Module, batch: Any) -> Loss:  # noqa: ANN401  whatever the loader gives
        """The loss under the law whose turn it is, of those that are left; of the model itself in evaluation."""
        if not model.training:
            return self.objective(model, batch)
        hypotheses = unwrapped(model)
        if not isinstance(hypotheses, Hypotheses):
            raise ValueError(
                f"model: got {type(model).__name__}, must be augment.Hypotheses for held-out examples to choose among"
            )
        if hypotheses.folds != self.folds.count:
            raise ValueError(f"model: has {hypotheses.folds} folds, must have {self.folds.count} as the objective")
        plan = self._plan(len(hypotheses.names))
        step = self.seen
        self._average(hypotheses, plan, step)
        self._decide(hypotheses, batch, plan, step)
        loss = self._loss(hypotheses, batch, plan, step)
        self.seen += 1
        self.passes += 1
        return Loss(loss.total, {**loss.parts, "living": hypotheses.alive.sum(), "passes": self.passes.float()})

    def trainings(self, hypotheses: int, batch: int | None = None, test_copies: int = 1) -> float:
        """The cost in plain trainings, of which looks at held-out examples have what they cost at most.

        Args:
            hypotheses: number of hypotheses `H`.
            batch: examples of a step; None where they are not known, so that a look costs as much as it may.
            test_copies: copies per held-out example at the end.
        """
        plan = self._plan(hypotheses)
        *before, last = hypotheses, *(left for _, left in plan.rungs)
        looks = [(alive, self.copies, AT_RUNG) for alive in before]
        looks += [(last, test_copies, AT_END)] if self.folds.count == 1 else []
        return 1 + sum(self._look(alive, copies, most, batch) for alive, copies, most in looks)

    def _plan(self, hypotheses: int) -> Schedule:
        plan = schedule(hypotheses, self.steps, self.warmup)
        if self.folds.count > 1 and plan.compares(self.steps - 1):
            raise ValueError(f"steps: got {self.steps}, too few to choose in folds and to train after it; take more")
        return plan

    def _look(self, alive: int, copies: int, share: float, batch: int | None) -> float:
        """What scores of so many hypotheses cost at most, in plain trainings."""
        if batch is None or self.held_out is None:
            return share
        count = self._affordable(alive, batch * processes(), share, copies)
        return count * copies * alive * FORWARD / (batch * processes() * self.steps)

    def _loss(self, model: Hypotheses, batch: Batch, plan: Schedule, step: int) -> Loss:
        """The loss of a step: under the law whose turn it is, or the chosen one; of folds on examples of the others."""
        if not plan.compares(step):
            return self.objective(model.member(model.chosen), batch)
        turn, fold = divmod(step, self.folds.count)
        living = list(model.living())
        law = living[(turn + 1) % len(living)]
        if self.folds.count == 1:
            return self.objective(model.member(law), batch)
        others = self.folds.batch(self._held_out(), fold, examples(batch[0]), device_of(batch[0]))
        return self.objective(model.member(law, fold), others)

    @torch.no_grad()
    def _decide(self, model: Hypotheses, batch: Batch, plan: Schedule, step: int) -> None:
        for rung, (at, left) in enumerate(plan.rungs):
            if step == at:
                self._drop(model, batch, rung, left)
        if step == plan.steps - 1:
            if self.folds.count == 1:  # those of folds are trained on by then
                self._score(model, batch, len(plan.rungs), model.test_copies, AT_END)
            self._conclude(model)

    @torch.no_grad()
    def _average(self, model: Hypotheses, plan: Schedule, step: int) -> None:
        """Keep the mean weights of the network of each fold over the last steps before a rung.

        The learning rate is still high then, and the noise that it leaves in the weights would choose.
        """
        count = plan.averaged(step)
        for k in range(model.folds) if count else ():
            for name, value in model.compared(k).state_dict().items():
                key = f"{k}.{name}"
                before = self.averages[key].to(value.device) if count > 1 else value
                self.averages[key] = before + ((value - before) / count).to(value.dtype)

    def _drop(self, model: Hypotheses, batch: Batch, rung: int, left: int) -> None:
        """Let the hypotheses with the least held-out losses go on."""
        self._score(model, batch, rung, self.copies, AT_RUNG)
        self.averages = {}
        order = survivors(self.losses[rung], left, model.is_wider)
        if self.folds.count > 1 and left == 1 and not self.losses[rung, order[0]].nanmean() < self.guess:
            order = [0]  # what goes on here is not looked at again
        model.alive.zero_()
        model.alive[order] = True
        model.choose(order[0])
        named = ", ".join(model.names[h] for h in model.living())
        logger.info("step %d: the hypotheses that go on: %s", self.seen, named)

    def _conclude(self, model: Hypotheses) -> None:
        """The chosen hypothesis and the posterior."""
        means = torch.stack([self.losses[r, h].nanmean() for h, r in enumerate(self.last.tolist())])
        eligible = means < self.guess.cpu()
        able = eligible & model.alive.cpu()
        best = int(torch.where(able, means, math.inf).argmin()) if bool(able.any()) else 0
        probabilities = torch.eye(len(eligible), dtype=torch.float64)[0]
        if bool(eligible.any()):
            probabilities = winning_probabilities(self.losses, self.last, eligible, model.is_wider)
        model.probabilities.copy_(probabilities)
        model.choose(best)
        logger.info("chosen: %s (probability %.2f)", model.names[best], float(probabilities[best]))

    def _score(self, model: Hypotheses, batch: Batch, rung: int, copies: int, share: float) -> None:
        """Held-out losses of the living hypotheses, averaged over copies, at the best temperature of each.

        And that of constant outputs.
        """
        count = self._affordable(int(model.alive.sum()), examples(batch[0]) * processes(), share, copies)
        rows, (x, y) = self._examples(count, device_of(batch[0]))
        targets, fold = moved_to(y, "cpu"), self.folds.of(rows)
        if not len(self.losses):
            looks = 1 + len(self._plan(len(model.names)).rungs)
            shape = (looks, len(model.names), len(self._held_out()[1]))
            self.losses = torch.full(shape, math.nan, dtype=torch.float64)
            self.last = torch.zeros(len(model.names), dtype=torch.long)
        for h in model.living():
            outputs = self._outputs(model, h, x, copies, fold)
            calibrated_outputs = calibrated(self._loss_fn(), outputs, targets)
            self.losses[rung, h, : len(y)] = loss_per_example(self._loss_fn(), calibrated_outputs, targets)
            self.last[h] = rung
            self.passes += self._relative(len(y) * (copies if h else 1), batch)
        self.guess.fill_(chance(self._loss_fn(), outputs, targets))

    def _outputs(self, model: Hypotheses, h: int, x: Any, copies: int, fold: Int[Tensor, "N"]) -> Tensor:  # noqa: ANN401
        """The outputs of a hypothesis for held-out examples, each from the network of its fold."""
        parts, places = [], []
        for k in fold.unique().tolist():
            own = (fold == k).nonzero().squeeze(1)
            with _weights(model.compared(k), _of(self.averages, f"{k}.")):
                parts.append(_outputs(model, h, chosen(x, own.to(device_of(x))), copies, k).cpu())
            places.append(own)
        return torch.cat(parts)[torch.cat(places).argsort()]

    def _affordable(self, alive: int, batch: int, share: float, copies: int) -> int:
        """How many held-out examples cost no more than a share of a plain training."""
        most = int(share * self.steps * batch / FORWARD / (copies * alive))
        return min(len(self._held_out()[1]), max(LEAST_SCORED, most))

    def _relative(self, forward: int, batch: Batch) -> float:
        """Passes without gradient in steps of a plain training."""
        return forward * FORWARD / (examples(batch[0]) * processes())

    def _examples(self, count: int, device: torch.device) -> tuple[Int[Tensor, "N"], Batch]:
        """Which held-out examples are looked at, and these: the first ones in an order of their own."""
        x, y = self._held_out()
        rows = self.folds.order[:count]
        at = rows.to(device_of(y))
        return rows, (moved_to(chosen(x, at), device), moved_to(chosen(y, at), device))

    def _held_out(self) -> Batch:
        if self.held_out is None or not len(self.held_out[1]):
            raise ValueError("held_out: got None; give inputs and targets that the network is not trained on")
        return self.held_out

    def _loss_fn(self) -> LossFunction:
        task = getattr(self.objective, "task", self.objective)
        loss_fn = getattr(task, "loss_fn", None)
        if loss_fn is None:
            raise ValueError(
                f"objective: {type(task).__name__} has no loss_fn, by which hypotheses are compared; take Supervised"
            )
        return loss_fn

    def get_extra_state(self) -> dict[str, Tensor]:
        """Held-out losses, which have no shape before hypotheses were scored, and mean weights."""
        return {"losses": self.losses, "last": self.last, **{f"averages.{k}": v for k, v in self.averages.items()}}

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        """Those of `get_extra_state`."""
        self.losses, self.last = state["losses"].clone(), state["last"].clone()
        self.averages = {name: value.clone() for name, value in _of(state, "averages.").items()}


def _of(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


@contextmanager
def _weights(net: nn.Module, state: dict[str, Tensor]) -> Iterator[None]:
    """A network with other weights for a while; with its own where there are none."""
    own = {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(state or own)
    try:
        yield
    finally:
        net.load_state_dict(own)


def _outputs(model: Hypotheses, h: int, x: Any, copies: int, fold: int) -> Tensor:  # noqa: ANN401  tensor or structure
    """The outputs of the network of a fold under a hypothesis, for held-out examples, in evaluation mode."""
    with evaluating(model):
        return torch.cat([model.member_outputs(h, part, copies, fold).float() for part in split(x, AT_ONCE)])
