"""The training loss as the chooser: parameters of symmetry follow it like all others, and you set the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives._objective import Batch, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.weighting import Weighting


@dataclass(frozen=True, kw_only=True)
class TrainingLoss(Chooser):
    """The training loss with the terms of the method."""

    name: Literal["training"] = "training"
    """Chooser of the degree of symmetry."""

    needs = "weights of the terms, by hand"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The objective itself."""
        return objective

    def weighting(self, names: Sequence[str], weight: float, shared: Sequence[nn.Parameter]) -> Weighting:
        """The weight that you choose, for each candidate."""
        return ConstantWeights(names, weight)


class ConstantWeights(Weighting):
    """Weights that you choose, 0 or more; `weight` for every penalty.

    Example:
        >>> float(ls.objectives.ConstantWeights(["so3"], 2.0)(torch.tensor(1.0), {"so3": torch.tensor(3.0)}))
        7.0
    """

    unit = "weight"

    def __init__(self, names: Sequence[str], weight: float = 1.0) -> None:
        super().__init__(names, weight)

    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        """Nothing."""

    def estimates(self) -> list[float]:
        """None: nothing was learned."""
        return []
