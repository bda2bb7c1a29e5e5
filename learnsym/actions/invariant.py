"""The action that moves nothing."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.groups import Group


@dataclass(frozen=True)
class Invariant(Action):
    """Nothing moves: `g·x = x`, for any group and any data, such as class labels or energies.

    Example:
        >>> ls.actions.Invariant()(torch.eye(2)[None], torch.tensor([7]))
        tensor([7])
    """

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """`x` itself."""
        return x

    def check(self, group: Group) -> None:
        """Every group fits."""

    def check_data(self, group: Group, x: Tensor) -> None:
        """Every tensor fits."""
