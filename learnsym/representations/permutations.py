"""Representations of finite groups that permute: regular, on the elements, and quotient, on cosets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.groups import Group, Trivial, cayley_table
from learnsym.representations._representation import Representation


@final
@dataclass(frozen=True)
class Quotient(Representation):
    """A finite group on the cosets `g H` of a subgroup: `ρ(g) e_{hH} = e_{ghH}`; see `Regular` for `H` trivial.

    Cosets are in the order of their first element in `group.components`.

    Raises:
        ValueError: when the group is not finite or does not contain the subgroup.

    Example:
        >>> ls.representations.Quotient(ls.groups.Dihedral(4), ls.groups.Dihedral(1)).size
        4
    """

    group: Group
    subgroup: Group

    def __post_init__(self) -> None:
        if self.group.order is None:
            raise ValueError(f"group: got {self.group}, must be finite; take irreps of a Lie group")
        if not bool(self.group.contains(self.subgroup.components).all()):
            raise ValueError(f"subgroup: got {self.subgroup}, which is no part of {self.group}")

    @property
    def size(self) -> int:
        """The number of cosets."""
        return len(self.group.components) // len(self.subgroup.components)

    @property
    def is_permutation(self) -> bool:
        """Always."""
        return True

    @property
    def is_trivial(self) -> bool:
        """When there is one coset."""
        return self.size == 1

    def __call__(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B d d"]:
        """The permutation of cosets by each element."""
        table, elements = self._table(), self.group.components.to(g)
        index = (g[..., None, :, :] - elements).abs().amax((-2, -1)).argmin(-1)
        return torch.nn.functional.one_hot(table.to(g.device)[index], self.size).mT.to(g.dtype)

    def __repr__(self) -> str:
        return "regular" if len(self.subgroup.components) == 1 else f"quotient by {self.subgroup}"

    def cosets(self) -> Int[Tensor, "K"]:
        """The coset of each element of the group."""
        table, inside = cayley_table(self.group), self.group.components
        members = torch.cdist(self.subgroup.components.flatten(1), inside.flatten(1)).argmin(1)
        first = table[:, members].amin(1)
        return torch.unique(first, return_inverse=True)[1]

    def _table(self) -> Int[Tensor, "K d"]:
        """`table[g, c]` is the coset to which the element `g` moves the coset `c`."""
        cosets = self.cosets()
        first = torch.stack([(cosets == coset).nonzero()[0, 0] for coset in range(self.size)])
        return cosets[cayley_table(self.group)[:, first]]


def Regular(group: Group) -> Quotient:
    """A finite group on its elements, in the order of `group.components`: `ρ(g) e_h = e_{gh}`."""
    return Quotient(group, Trivial(group.n, group.space))
