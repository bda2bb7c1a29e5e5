"""What a term is: a weighted number that holds a model to its symmetry, with what is logged of it."""

from __future__ import annotations

import abc
from typing import ClassVar

from torch import Tensor, nn

from learnsym.objectives._objective import Loss


class Term(nn.Module, abc.ABC):
    """What holds the learners of a model to their symmetry: `(model, x) -> Loss`, what is added and what is logged.

    A model without the learners that a term is about gets 0.
    """

    kinds: ClassVar[tuple[str, ...]]
    """What it is, as learners name it in `terms()`."""

    @abc.abstractmethod
    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        """What is added to the loss of a batch of inputs, weighted, and its parts for the log."""


def checked_weight(weight: float, name: str = "weight") -> float:
    """The weight, or ValueError.

    Example:
        >>> checked_weight(0.5)
        0.5
    """
    if not weight >= 0:
        raise ValueError(f"{name}: got {weight}, must be >= 0; 0 leaves the term out")
    return weight
