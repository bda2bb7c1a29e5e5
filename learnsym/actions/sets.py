"""Permutations of the members of a set, of pairs of them, and of the nodes of graphs of different sizes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_space
from learnsym.groups import Group
from learnsym.parts import Part, Whole, described, mapped
from learnsym.ragged import Ragged


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
        return _reordered(g, x, 1)

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


@dataclass(frozen=True)
class Pairs(Action):
    """What pairs of members carry, `(B, N, N, ...)`, such as adjacency matrices: `(g·a)_ij = a_kl`, `g_ik = g_jl = 1`.

    With the nodes of a graph they move by `Jointly`.

    Example:
        >>> swap = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
        >>> ls.actions.Pairs()(swap, torch.tensor([[[1, 2], [3, 4]]]))
        tensor([[[4, 3],
                 [2, 1]]])
    """

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """The pairs of each set in their new order."""
        return _reordered(g, _reordered(g, x, 1), 2)

    def check(self, group: Group) -> None:
        """The group must permute indices."""
        check_space(self, group, "index")

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must hold all pairs of as many members as the group permutes."""
        if x.shape[1:3] != (group.n, group.n) or len(x) == 0:
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, must be (B, {group.n}, {group.n}, ...) with B >= 1 for {group.name}; "
                "give one row and one column a member"
            )


@dataclass(frozen=True)
class Nodes(Action):
    """All that the nodes of `Ragged` clouds carry, reordered as by `Set`: features, atomic numbers, and the mask.

    A node takes its place along, so that one that is there may go to where padding was: networks that give padding
    nothing are not asked what they make of it.

    Example:
        >>> swap = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
        >>> ls.actions.Nodes()(swap, ls.data.Ragged(torch.tensor([[10, 20]]), torch.tensor([[True, False]]))).mask
        tensor([[False,  True]])
    """

    @property
    def part(self) -> Part:
        """What nodes carry."""
        return Part("x", "symmetry")

    @property
    def within(self) -> Action:
        """There is no action on one tensor: what nodes carry does not move without the mask.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "symmetry: moves nodes together with their mask, and one tensor moves here; take "
            "measure.equivariance_error, or a set without a mask"
        )

    def __call__(self, g: Float[Tensor, "B n n"], x: Ragged) -> Ragged:
        """The nodes of each cloud in their new order."""
        return mapped(lambda tensor: Set()(g, tensor), x)

    def check(self, group: Group) -> None:
        """The group must permute indices."""
        check_space(self, group, "index")

    def check_data(self, group: Group, x: Whole) -> None:
        """`x` must be clouds with as many places as the group permutes."""
        if not isinstance(x, Ragged):
            raise ValueError(f"x: got {described(x)}, must be clouds with a mask, data.Ragged; take the action Set")
        Set().check_data(group, x.x)


def _reordered(g: Tensor, x: Tensor, axis: int) -> Tensor:
    """`x` with entry `j` of an axis where `g_ij = 1` at entry `i`."""
    index = g.argmax(-1)
    places = [1] * x.ndim
    places[0], places[axis] = index.shape
    return torch.gather(x, axis, index.reshape(places).expand(x.shape))
