"""Permutations of the members of a set."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_space
from learnsym.groups import Group


@dataclass(frozen=True)
class Set(Action):
    """Sets `(B, N, ...)` reordered along axis 1 by permutation matrices: `(g·x)_i = x_j` where `g_ij = 1`.

    Members are gathered by `argmax` of each row, exactly and for any dtype; there is no gradient to `g`.

    Example:
        >>> swap = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
        >>> ls.actions.Set()(swap, torch.tensor([[10, 20]]))
        tensor([[20, 10]])
    """

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each set in its new order."""
        if x.ndim < 2 or x.shape[1] != g.shape[-1]:
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, must be (B, {g.shape[-1]}, ...) for permutations of as many members; "
                "take the permutation group of that size"
            )
        index = g.argmax(-1)
        index = index.reshape(*index.shape, *[1] * (x.ndim - 2)).expand(x.shape)
        return torch.gather(x, 1, index)

    def check(self, group: Group) -> None:
        """The group must permute indices."""
        check_space(self, group, "index")

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must hold as many members as the group permutes."""
        if x.ndim < 2 or x.shape[1] != group.n or len(x) == 0:
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, must be (B, {group.n}, ...) with B >= 1 for {group.name}; put the "
                "members on axis 1 or choose the permutation group of that size"
            )
