"""Actions of product groups."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_space
from learnsym.groups import Group


@dataclass(frozen=True)
class Product(Action):
    """Factors of a product group acting in turn on the same data: `(g1, g2)·x = g1·(g2·x)`; the actions must commute.

    Elements are block-diagonal; the first block of `sizes[0]` rows moves data by `actions[0]`, and so on.

    Args:
        actions: one action per factor.
        sizes: matrix size of each factor, `group.n`.

    Example:
        >>> warp_and_colour = ls.actions.Product((ls.actions.Image(), ls.actions.Channels()), sizes=(2, 2))
        >>> g = torch.block_diag(-torch.eye(2), torch.tensor([[1.0, 0.25], [0.0, 1.0]]))
        >>> warp_and_colour(g[None], torch.tensor([[[[0.0, 0.5]]]]))
        tensor([[[[0.7500, 0.2500]]]])
    """

    actions: tuple[Action, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.actions) != len(self.sizes) or not self.actions:
            raise ValueError(
                f"sizes: got {len(self.sizes)} for {len(self.actions)} actions, must be one matrix size per action"
            )
        inner = next((action for action in self.actions if action.within is not action), None)
        if inner is not None:
            raise ValueError(
                f"actions: got {inner} among those of a product; write On({inner.part.key!r}, Product(...))"
            )

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each example moved by all blocks, the last first."""
        end = g.shape[-1]
        for action, size in zip(reversed(self.actions), reversed(self.sizes), strict=True):
            x = action(g[..., end - size : end, end - size : end], x)
            end -= size
        return x

    def check(self, group: Group) -> None:
        """Block sizes must match, and each factor its action."""
        check_space(self, group, "product")
        for action, factor in zip(self.actions, self._factors(group), strict=True):
            action.check(factor)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must fit every action."""
        for action, factor in zip(self.actions, self._factors(group), strict=True):
            action.check_data(factor, x)

    def _factors(self, group: Group) -> tuple[Group, ...]:
        factors: tuple[Group, ...] = getattr(group, "factors", ())
        sizes = tuple(factor.n for factor in factors)
        if sizes != self.sizes:
            raise ValueError(
                f"sizes: got {self.sizes}, must be {sizes}, the matrix sizes of the factors of {group.name}, with one "
                "action each, in order"
            )
        return factors
