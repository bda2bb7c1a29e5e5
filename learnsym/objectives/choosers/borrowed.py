"""Borrowed examples: some of those for training choose among hypotheses first, and are trained on after that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Int
from torch import Tensor

from learnsym._processes import processes
from learnsym.objectives._objective import Batch
from learnsym.parts import chosen, device_of, moved_to


@dataclass(frozen=True)
class Borrowed:
    """The examples that choose: a part of `N`, or all of them where they are none of training.

    Args:
        examples: `N`.
        share: that is borrowed from training, of all; 0 when the examples are others than those of training.

    Raises:
        ValueError: when several processes would have to leave the same examples out.

    Example:
        >>> borrowed = ls.objectives.choosers.borrowed.Borrowed(8, 0.25)
        >>> len(borrowed.rows), len(borrowed.rest)
        (2, 6)
    """

    examples: int
    share: float = 0.0

    def __post_init__(self) -> None:
        if self.share and processes() > 1:
            raise ValueError(
                f"borrow: got {self.share} under {processes()} processes, must be 0 there; train in one process"
            )

    @cached_property
    def rows(self) -> Int[Tensor, "M"]:
        """The examples that choose, in the order in which they are looked at, which is no order of classes."""
        return self._order[: round(self.share * self.examples) if self.share else self.examples]

    @cached_property
    def rest(self) -> Int[Tensor, "R"]:
        """The examples that are trained on until the choice, where some are borrowed."""
        return self._order[len(self.rows) :]

    @property
    def _order(self) -> Int[Tensor, "N"]:
        return torch.randperm(self.examples, generator=torch.Generator().manual_seed(0))

    def batch(self, pool: Batch, size: int, device: torch.device) -> Batch:
        """Examples of the rest, drawn without replacement by torch's own generator; all of it where it is smaller.

        Args:
            pool: inputs and targets of all examples.
            size: how many are drawn.
            device: where they go.
        """
        x, y = pool
        rest = self.rest
        rows = rest[torch.randperm(len(rest))[:size]].to(device_of(y))
        return moved_to(chosen(x, rows), device), moved_to(chosen(y, rows), device)
