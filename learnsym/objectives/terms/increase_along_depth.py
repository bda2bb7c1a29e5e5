"""What a later layer keeps of the group and an earlier one gave up."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from learnsym.objectives._objective import Loss
from learnsym.objectives.terms._term import Term, checked_weight
from learnsym.relax import increase_along_depth, partial_ranges


@final
class IncreaseAlongDepth(Term):
    """Lets learned parts of the group only shrink along the depth.

        weight * Σ_l Σ_i relu(extent_{l+1,i} - extent_{l,i})

    Reference: Romero, Lohit, "Learning partial equivariances from data" (2022), arXiv 2110.10211.

    Args:
        weight: not negative.
    """

    kinds = ("order",)

    def __init__(self, weight: float = 1e-3) -> None:
        super().__init__()
        self.weight = checked_weight(weight)

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        ranges = partial_ranges(model)
        increase = increase_along_depth(ranges) if ranges else x.new_zeros(())
        return Loss(self.weight * increase, {"increase": increase.detach()})
