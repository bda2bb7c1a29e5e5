"""Folds of examples: each network is scored on those of its own fold, and trained on all others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from learnsym._processes import processes
from learnsym.objectives._objective import Batch
from learnsym.parts import chosen, device_of, moved_to


@dataclass(frozen=True)
class Folds:
    """A partition of `N` examples into folds of equal size, up to one.

    Args:
        examples: `N`.
        count: of folds; 1 when networks are trained on other examples than these.

    Raises:
        ValueError: when a fold would have no example, or several processes would have to share the folds.

    Example:
        >>> folds = ls.objectives.choosers.folds.Folds(5, 2)
        >>> sorted(folds.of(torch.arange(5)).tolist())
        [0, 0, 0, 1, 1]
    """

    examples: int
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1 or 0 < self.examples < self.count:
            raise ValueError(f"folds: got {self.count}, must lie in [1, {self.examples}], the number of examples")
        if self.count > 1 and processes() > 1:
            raise ValueError(
                f"folds: got {self.count} under {processes()} processes, must be 1 there; train in one process"
            )

    @property
    def order(self) -> Int[Tensor, "N"]:
        """The order in which examples are looked at, which is no order of classes; folds take them in turn."""
        return torch.randperm(self.examples, generator=torch.Generator().manual_seed(0))

    def of(self, rows: Int[Tensor, "M"]) -> Int[Tensor, "M"]:
        """The fold of each of these examples, whose networks are scored by it."""
        return self.order.argsort()[rows] % self.count

    def batch(self, pool: Batch, fold: int, size: int, device: torch.device) -> Batch:
        """Examples of the other folds, drawn without replacement by torch's own generator; all where there are fewer.

        Args:
            pool: inputs and targets of all examples.
            fold: which networks are trained on them.
            size: how many are drawn.
            device: where they go.
        """
        x, y = pool
        every = torch.arange(self.examples)
        others = every[self.of(every) != fold]
        rows = others[torch.randperm(len(others))[:size]].to(device_of(y))
        return moved_to(chosen(x, rows), device), moved_to(chosen(y, rows), device)
