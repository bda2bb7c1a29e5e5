"""What an objective is: a function of a model and a batch that gives a loss with named parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from learnsym.parts import Whole

Batch = tuple[Whole, Any]
"""Inputs, one tensor or a structure of several, and targets: one tensor, or `Ragged` clouds."""


@dataclass(frozen=True)
class Loss:
    """A scalar to minimise, with named parts for the log."""

    total: Tensor
    parts: dict[str, Tensor] = field(default_factory=dict)


@runtime_checkable
class Objective(Protocol):
    """What is minimised: `(model, batch) -> Loss`, a total with named parts."""

    def __call__(self, model: nn.Module, batch: Any) -> Loss: ...  # noqa: ANN401  a batch is whatever the loader gives
