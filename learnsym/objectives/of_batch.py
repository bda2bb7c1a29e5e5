"""Inputs and targets out of a batch of any structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from learnsym.degrees import Degree
from learnsym.learners import degrees
from learnsym.objectives._objective import Loss, Objective
from learnsym.parts import Part, Whole


class OfBatch(nn.Module):
    """An objective of batches that are no pair `(x, y)`, such as the dicts that many data loaders give.

    Args:
        objective: of a pair of inputs and targets.
        inputs: key of the inputs in a batch, see `parts.Part`; or several keys, for a dict of those parts.
        targets: key of the targets.

    Raises:
        ValueError: when called with a batch that has no such part.

    Example:
        >>> task = ls.objectives.Supervised(nn.functional.cross_entropy)
        >>> objective = ls.objectives.OfBatch(task, inputs="pixels", targets="labels")
        >>> batch = {"pixels": torch.rand(5, 4), "labels": torch.zeros(5, dtype=torch.long)}
        >>> sorted(objective(nn.Linear(4, 3), batch).parts)
        ['task']
    """

    answers_for = ("objective",)

    def __init__(self, objective: Objective, inputs: str | Sequence[str], targets: str) -> None:
        super().__init__()
        self.objective = objective
        self.inputs = inputs
        self.targets = targets

    def forward(self, model: nn.Module, batch: Any) -> Loss:  # noqa: ANN401  whatever the loader gives
        """The loss of the pair."""
        return self.objective(model, (self._inputs(batch), Part(self.targets, "targets").get(batch)))

    def degrees(self, site: str) -> list[Degree]:
        """What the objective has learned."""
        return degrees(self.objective, site) if isinstance(self.objective, nn.Module) else []

    def _inputs(self, batch: Whole) -> Whole:
        if isinstance(self.inputs, str):
            return Part(self.inputs, "inputs").get(batch)
        return {key: Part(key, "inputs").get(batch) for key in self.inputs}
