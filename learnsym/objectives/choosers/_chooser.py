"""What a chooser is: who sets how much symmetry holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from torch import nn

from learnsym._settings import check_settings
from learnsym.objectives._objective import Batch, Objective
from learnsym.objectives.choosers.weighting import Weighting

Examples = TypeVar("Examples")


@dataclass(frozen=True, kw_only=True)
class Chooser:
    """Who sets how much symmetry holds: of the parameters of a model, of weights in the loss, or of either."""

    name: str = ""
    """Chooser of the degree of symmetry."""

    label: ClassVar[str] = ""
    """What is added to the method's name in degrees; nothing for the training loss."""
    note: ClassVar[str] = ""
    """What a page says of learned degrees that it chose."""
    sets_gains: ClassVar[bool] = False
    """Whether it sets gains of layers by itself, so that an optimiser has none to train."""
    starts_exact: ClassVar[bool] = False
    """Whether gains of layers begin at 0, whatever start a method has."""
    needs: ClassVar[str] = ""
    """What it needs beside the training examples."""

    def __post_init__(self) -> None:
        check_settings(self, "chooser.")

    def judges(self, train: Examples, val: Examples) -> Examples:
        """The examples by which it chooses, where it looks at any: those of validation."""
        return val

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """What is minimised when it chooses the symmetry parameters of the model.

        Args:
            objective: loss on the targets with the terms of all learners.
            held_out: inputs and targets of `judges`; None where nothing is trained.
            steps: of the training in all.
            examples: number of training examples.

        Raises:
            ValueError: when it chooses weights in the loss only.
        """
        raise ValueError(f"chooser.name: {self.name!r} sets weights of penalties in the loss, and there are none")

    def weighting(self, names: Sequence[str], weight: float, shared: Sequence[nn.Parameter]) -> Weighting:
        """Who weighs penalties in the loss.

        Args:
            names: of the penalties.
            weight: that the method says.
            shared: parameters of the network in which gradients of task and penalties are compared.

        Raises:
            ValueError: when it chooses parameters of models only.
        """
        raise ValueError(f"chooser.name: {self.name!r} sets parameters of models, not weights of penalties in the loss")
