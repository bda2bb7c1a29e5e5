"""Subgroup: some of the elements of a finite group, as a group."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from learnsym.groups._finite import cayley_table, finite_group
from learnsym.groups._group import Group
from learnsym.groups._matrix_group import MatrixGroup


def Subgroup(group: Group, members: Sequence[int]) -> MatrixGroup:
    """The elements of a finite group with given numbers, in the order of the group: such as those that fix a point.

    Args:
        group: a finite group whose elements are listed.
        members: their numbers in `group.components`, the identity, 0, among them.

    Raises:
        ValueError: for a group without a list of elements, or members whose products are not all members.

    Example:
        >>> ls.groups.Subgroup(ls.groups.Dihedral(4), [0, 5]).order
        2
    """
    kept = sorted(set(members))
    table = cayley_table(group)
    if not kept or kept[0] != 0 or kept[-1] >= len(table):
        raise ValueError(f"members: got {list(members)}, must hold 0, the identity, and numbers below {len(table)}")
    products = table[kept][:, kept]
    if not bool(torch.isin(products, torch.tensor(kept)).all()):
        raise ValueError(f"members: got {kept}, whose products are not all among them; add {_missing(products, kept)}")
    name = f"{group.name}[{', '.join(map(str, kept))}]"
    return finite_group(name, group.space, group.components[kept])


def _missing(products: torch.Tensor, kept: list[int]) -> str:
    return ", ".join(map(str, sorted(set(products.flatten().tolist()) - set(kept))))
