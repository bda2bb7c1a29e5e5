"""Selection among hypotheses as the chooser: networks with no, some and full symmetry compete on held-out examples.

Legend of axes: `H` hypotheses, `N` held-out examples.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym._processes import processes
from learnsym._settings import Copies, In, Share, check
from learnsym.augment import Hypotheses
from learnsym.learners import unwrapped
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser, Examples
from learnsym.objectives.choosers.borrowed import Borrowed
from learnsym.objectives.choosers.evidence import (
    ALIKE,
    calibrated,
    chance,
    loss_per_example,
    winning_probabilities,
)
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
Borrow = Annotated[float, In("[0, 0.5]")]
"""Part of the training examples that chooses, and is trained on after the choice."""


@dataclass(frozen=True, kw_only=True)
class Selection(Chooser):
    """Hypotheses from none to full symmetry, which share one network; the validation examples choose among them.

    See `objectives.SuccessiveHalving`; it costs 1.0 to 1.2 plain trainings of as many steps, less the more there are.
    """

    name: Literal["selection"] = "selection"
    """Chooser of the degree of symmetry."""
    warmup: Share = WARMUP
    """Largest part of the steps in which the hypotheses that are left share one network; after it one is left. Of more
    than 833 steps it is less, see `objectives.choosers.halving`."""
    copies: Copies = 4
    """Transformed copies per held-out example when hypotheses are dropped; at the end, those of evaluation."""
    borrow: Borrow = 0.0
    """0: validation examples choose; more, where data are few: so large a part of those for training does, which is
    trained on after the choice."""

    label = "selection"
    note = (
        "They are posterior means over hypotheses by the loss on held-out examples, of which no accuracy here is "
        "reported; intervals hold the noise of these examples and the spacing of the hypotheses."
    )

    needs = "validation examples, or some of training"

    def judges(self, train: Examples, val: Examples) -> Examples:
        """The validation examples, or those of training, where some of them are borrowed."""
        return train if self.borrow else val

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """Successive halving of the hypotheses of the model."""
        options = {"warmup": self.warmup, "copies": self.copies, "borrow": self.borrow}
        return SuccessiveHalving(objective, held_out, steps=steps, **options)


class SuccessiveHalving(nn.Module):
    """An objective that trains one network of `augment.Hypotheses` and lets held-out examples choose among their laws.

        1. One network is trained on the laws of all hypotheses in turn, in a long training after it was trained as it
           is for a while. At rungs the held-out loss under each law says which go on: a half of them, a half of these,
           two, one. It is averaged over copies, and that of mean weights, since rates are high. Wide laws are learned
           slowly, so that the widest one within a standard error of the best is favoured.
        2. One is left, and has more than half of the steps for itself. The posterior is how often each hypothesis wins
           when the held-out examples are drawn again; those whose losses differ by a thousandth of chance share a win.

    Hypotheses that were trained side by side would differ by the noise of their trainings, and cost steps, which
    networks gain more from, see `experiments/selection`.

    A hypothesis whose held-out loss is no better than that of constant outputs never wins: a network that has not
    been trained must not choose. "none" is left when that is so for all.

    Where data are few, some of the training examples are borrowed: they choose as held-out ones do, and are trained on
    with all others once one hypothesis is left. With 160 examples that is better than to hold them out to the end (with
    40 it is not decided), and cross-fitting in folds, whose networks share the steps, was not, see
    `experiments/selection`.

    Reference: Jamieson, Talwalkar (2016), arXiv 1502.07943, for successive halving; Izmailov et al. (2018), arXiv
    1803.05407, for means of weights; for symmetries our own.

    Args:
        objective: loss on the targets with the terms of all learners.
        held_out: inputs and targets that the weights never see and that no result is reported on; with `borrow`, the
            training examples.
        steps: of the training in all; the answer is given at the last one.
        warmup: largest part of the steps in which hypotheses share one network, and are dropped.
        copies: transformed copies per held-out example at the rungs.
        borrow: part of the held-out examples that chooses, when they are those of training, and is trained on with the
            others after it; 0 when they are not.

    Raises:
        ValueError: for fewer held-out examples than an interval needs; in training, when the model is not
            `augment.Hypotheses` or no examples are held out.

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
        borrow: float = 0.0,
    ) -> None:
        super().__init__()
        check("borrow", borrow, Borrow)
        self.borrowed = Borrowed(0 if held_out is None else len(held_out[1]), borrow)
        count = len(self.borrowed.rows)
        if held_out is not None and count < FEWEST:
            more = "set data.val higher, or chooser.borrow to 0.25"
            remedy = "borrow a larger part, or give more" if borrow else more
            raise ValueError(
                f"held_out: got {count} examples, must be at least {FEWEST} for an interval at {LEVEL:.0%}; {remedy}, "
                "or take the chooser training"
            )
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
        looks += [] if self.borrowed.share else [(last, test_copies, AT_END)]
        return 1 + sum(self._look(alive, copies, most, batch) for alive, copies, most in looks)

    def _plan(self, hypotheses: int) -> Schedule:
        plan = schedule(hypotheses, self.steps, self.warmup)
        if self.borrowed.share and plan.compares(self.steps - 1):
            raise ValueError(
                f"steps: got {self.steps}, too few to choose by borrowed examples and to train on them; take more"
            )
        return plan

    def _look(self, alive: int, copies: int, share: float, batch: int | None) -> float:
        """What scores of so many hypotheses cost at most, in plain trainings."""
        if batch is None or self.held_out is None:
            return share
        count = self._affordable(alive, batch * processes(), share, copies)
        return count * copies * alive * FORWARD / (batch * processes() * self.steps)

    def _loss(self, model: Hypotheses, batch: Batch, plan: Schedule, step: int) -> Loss:
        """The loss of a step: under the law whose turn it is, without borrowed examples, or under the chosen one."""
        if not plan.compares(step):
            return self.objective(model.member(model.chosen), batch)
        if self.borrowed.share:
            batch = self.borrowed.batch(self._held_out(), examples(batch[0]), device_of(batch[0]))
        if step < plan.alone:
            return self.objective(model.member(0), batch)
        living = list(model.living())
        return self.objective(model.member(living[(step + 1) % len(living)]), batch)

    @torch.no_grad()
    def _decide(self, model: Hypotheses, batch: Batch, plan: Schedule, step: int) -> None:
        for rung, (at, left) in enumerate(plan.rungs):
            if step == at:
                self._drop(model, batch, rung, left)
        if step == plan.steps - 1:
            if not self.borrowed.share:  # borrowed ones are trained on by then
                self._score(model, batch, len(plan.rungs), model.test_copies, AT_END)
            self._conclude(model)

    @torch.no_grad()
    def _average(self, model: Hypotheses, plan: Schedule, step: int) -> None:
        """Keep the mean weights of the network over the last steps before a rung.

        The learning rate is still high then, and the noise that it leaves in the weights would choose.
        """
        count = plan.averaged(step)
        for name, value in model.net.state_dict().items() if count else ():
            before = self.averages[name].to(value.device) if count > 1 else value
            self.averages[name] = before + ((value - before) / count).to(value.dtype)

    def _drop(self, model: Hypotheses, batch: Batch, rung: int, left: int) -> None:
        """Let the hypotheses with the least held-out losses go on."""
        self._score(model, batch, rung, self.copies, AT_RUNG)
        self.averages = {}
        order = survivors(self.losses[rung], left, model.is_wider)
        if self.borrowed.share and left == 1 and not self.losses[rung, order[0]].nanmean() < self.guess:
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
            alike = ALIKE * float(self.guess)
            probabilities = winning_probabilities(self.losses, self.last, eligible, model.is_wider, alike)
        model.probabilities.copy_(probabilities)
        model.choose(best)
        logger.info("chosen: %s (probability %.2f)", model.names[best], float(probabilities[best]))

    def _score(self, model: Hypotheses, batch: Batch, rung: int, copies: int, share: float) -> None:
        """Held-out losses of the living hypotheses, averaged over copies, at the best temperature of each.

        And that of constant outputs.
        """
        count = self._affordable(int(model.alive.sum()), examples(batch[0]) * processes(), share, copies)
        x, y = self._examples(count, device_of(batch[0]))
        targets = moved_to(y, "cpu")
        if not len(self.losses):
            looks = 1 + len(self._plan(len(model.names)).rungs)
            shape = (looks, len(model.names), len(self.borrowed.rows))
            self.losses = torch.full(shape, math.nan, dtype=torch.float64)
            self.last = torch.zeros(len(model.names), dtype=torch.long)
        for h in model.living():
            outputs = self._outputs(model, h, x, copies)
            calibrated_outputs = calibrated(self._loss_fn(), outputs, targets)
            self.losses[rung, h, : len(y)] = loss_per_example(self._loss_fn(), calibrated_outputs, targets)
            self.last[h] = rung
            self.passes += self._relative(len(y) * (copies if h else 1), batch)
        self.guess.fill_(chance(self._loss_fn(), outputs, targets))

    def _outputs(self, model: Hypotheses, h: int, x: Any, copies: int) -> Tensor:  # noqa: ANN401  tensor or structure
        """The outputs under a hypothesis for held-out examples, with the mean weights, in evaluation mode."""
        with evaluating(model), _weights(model.net, self.averages):
            return torch.cat([model.member_outputs(h, part, copies).float() for part in split(x, AT_ONCE)])

    def _affordable(self, alive: int, batch: int, share: float, copies: int) -> int:
        """How many held-out examples cost no more than a share of a plain training."""
        most = int(share * self.steps * batch / FORWARD / (copies * alive))
        return min(len(self.borrowed.rows), max(LEAST_SCORED, most))

    def _relative(self, forward: int, batch: Batch) -> float:
        """Passes without gradient in steps of a plain training."""
        return forward * FORWARD / (examples(batch[0]) * processes())

    def _examples(self, count: int, device: torch.device) -> Batch:
        """The held-out examples that are looked at: the first ones in an order of their own."""
        x, y = self._held_out()
        rows = self.borrowed.rows[:count].to(device_of(y))
        return moved_to(chosen(x, rows), device), moved_to(chosen(y, rows), device)

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
