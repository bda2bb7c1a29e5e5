"""A schedule as the chooser of gains: down to 0 on a line, and exact for the rest of the training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from learnsym._settings import Share
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.gains import GainsObjective, set_values
from learnsym.objectives.choosers.levels import frozen
from learnsym.relax import GainedLayer


@dataclass(frozen=True, kw_only=True)
class Schedule(Chooser):
    """Gains on a line down to 0, whatever the data say, see `objectives.AnnealedGains`."""

    name: Literal["schedule"] = "schedule"
    """Chooser of the degree of symmetry."""
    until: Share = 0.8
    """Part of the steps after which gains are 0."""

    label = "schedule"
    note = "The free branch of each layer is faded out on a schedule, whatever the data say."
    sets_gains = True

    needs = "a schedule, by hand"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The objective with gains set before every step."""
        return AnnealedGains(objective, steps=steps, until=self.until)


class AnnealedGains(GainsObjective):
    """An objective that sets the gain of every layer before each step: `γ(t) = γ(0) max(0, 1 - t / (until · steps))`.

    Gains get no gradient. The last part of the training is that of an exact network.

    Reference: Pertigkiozoglou, Chatzipantazis, Trivedi, Daniilidis, "Improving equivariant model training via
    constraint relaxation" (2024), arXiv 2408.13242, for free branches that are faded out; the line is our own.

    Args:
        objective: loss on the targets with the terms of all learners.
        steps: of the training in all.
        until: part of the steps after which gains are 0.

    Raises:
        ValueError: for a number out of range; in training, when the model has no gain.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ScaledPathway(ls.equivariant.EquivariantLinear(fields, fields))
        >>> objective = ls.objectives.AnnealedGains(ls.objectives.Supervised(ls.objectives.mse), steps=4, until=0.5)
        >>> [float(objective(net, (torch.rand(5, 4), torch.rand(5, 4))).parts["gain"]) for _ in range(4)]
        [1.0, 0.5, 0.0, 0.0]
    """

    def __init__(self, objective: Objective, *, steps: int, until: float = 0.8) -> None:
        super().__init__(objective)
        if steps < 1 or not 0 < until <= 1:
            raise ValueError(f"steps, until: got {steps}, {until}, must be >= 1 and in (0, 1]; 0.8 is usual")
        self.steps, self.until = steps, until

    def held(self, model: nn.Module, batch: Any, layers: dict[str, GainedLayer]) -> Loss:  # noqa: ANN401
        """The loss at the gains of this step."""
        now = self.gains(layers).detach()
        first = self.kept["start"] = self.kept.get("start", now).to(now)
        seen = self.kept.get("seen", torch.zeros((), dtype=torch.long, device=now.device)).to(now.device)
        gains = [layer.gain.value for layer in layers.values()]
        set_values(gains, first * (1 - seen / (self.until * self.steps)).clamp(min=0))
        self.kept["seen"] = seen + 1
        with frozen(gains):
            return self.objective(model, batch)
