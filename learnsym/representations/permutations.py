"""Representations of finite groups that permute: regular, on the elements, and quotient, on cosets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
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
        moved, elements = torch.from_numpy(self._tables[1]).to(g.device), self.group.components.to(g)
        index = (g[..., None, :, :] - elements).abs().amax((-2, -1)).argmin(-1)
        return torch.nn.functional.one_hot(moved[index], self.size).mT.to(g.dtype)

    def __repr__(self) -> str:
        return "regular" if len(self.subgroup.components) == 1 else f"quotient by {self.subgroup}"

    def cosets(self) -> Int[Tensor, "K"]:
        """The coset of each element of the group."""
        return torch.from_numpy(self._tables[0].copy())

    # arrays, since a tensor that is made inside `torch.func.grad` is of no use after it
    @cached_property
    def _tables(self) -> tuple[np.ndarray, np.ndarray]:
        """The coset of each element `(K,)`, and that to which each element moves each coset `(K, d)`."""
        products, inside = cayley_table(self.group), self.group.components
        members = torch.cdist(self.subgroup.components.flatten(1), inside.flatten(1)).argmin(1)
        firsts, cosets = torch.unique(products[:, members].amin(1), return_inverse=True)
        return np.array(cosets.tolist()), np.array(cosets[products[:, firsts]].tolist())


def Regular(group: Group) -> Quotient:
    """A finite group on its elements, in the order of `group.components`: `ρ(g) e_h = e_{gh}`."""
    return Quotient(group, Trivial(group.n, group.space))
