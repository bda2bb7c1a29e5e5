"""Poses: elements of the plane groups p1, p4, p4m and their like on a torus of pixels.

Legend of axes: `B` batch, `G` elements of the group of turns and flips.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.equivariant.lattice.orbits import check_lattice
from learnsym.groups import Group, cayley_table


class LatticePose(NamedTuple):
    """Moves of pixels `u -> M_h u + t`: a turn or flip about pixel (0, 0), then a shift, which wraps around.

    One for each example. Together they are p1 (no turns), p4 (quarter turns), p4m (quarter turns and flips).
    """

    shift: Int[Tensor, "B 2"]
    """`t` in rows and columns."""
    element: Int[Tensor, "B"]
    """`h` by its place in `group.components`."""


class LatticeTables(NamedTuple):
    """A group of turns and flips in whole numbers."""

    matrices: Int[Tensor, "G 2 2"]
    """`M_h` on (row, column)."""
    products: Int[Tensor, "G G"]
    """The place of `g h`."""
    inverses: Int[Tensor, "G"]
    """The place of `h^-1`."""


@lru_cache
def lattice_tables(group: Group) -> LatticeTables:
    """The tables of C_1, C_2, C_4, D_1, D_2 or D_4.

    Raises:
        ValueError: for a group that does not map pixels to pixels.
    """
    check_lattice(group)
    # a row index runs down while y points up
    axes = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    matrices = (axes @ group.components @ axes.mT).round().long()
    products = cayley_table(group)
    return LatticeTables(matrices, products, (products == 0).long().argmax(1))


def compose(tables: LatticeTables, a: LatticePose, b: LatticePose) -> LatticePose:
    """`a b`: first `b`, then `a`; that is `(t + M_h t', h h')`.

    Example:
        >>> from learnsym.equivariant.subsampling.pose import compose, lattice_tables
        >>> tables = lattice_tables(ls.groups.Cyclic(4))
        >>> shift = ls.equivariant.LatticePose(torch.tensor([[0, 1]]), torch.tensor([0]))
        >>> turn = ls.equivariant.LatticePose(torch.tensor([[0, 0]]), torch.tensor([1]))
        >>> compose(tables, turn, shift).shift
        tensor([[-1,  0]])
    """
    return LatticePose(a.shift + turned(tables, a.element, b.shift), tables.products[a.element, b.element])


def inverse(tables: LatticeTables, a: LatticePose) -> LatticePose:
    """`a^-1 = (-M_h^-1 t, h^-1)`."""
    element = tables.inverses[a.element]
    return LatticePose(-turned(tables, element, a.shift), element)


def turned(tables: LatticeTables, element: Int[Tensor, "B"], shift: Int[Tensor, "B 2"]) -> Int[Tensor, "B 2"]:
    """`M_h t`."""
    return (tables.matrices[element] * shift[:, None]).sum(-1)


def wrapped(pose: LatticePose, size: tuple[int, int]) -> LatticePose:
    """The same pose with the shift in `0 ... size - 1`: what two poses are compared by."""
    return LatticePose(pose.shift % torch.tensor(size, device=pose.shift.device), pose.element)


def about_centre(group: Group, g: Float[Tensor, "B 2 2"], size: tuple[int, int]) -> LatticePose:
    """The poses of turns and flips about the centre of an image, as `FeatureField` does them: `t = c - M_h c`."""
    tables = lattice_tables(group)
    element = (g[:, None].to(group.components) - group.components).abs().amax((-2, -1)).argmin(-1)
    twice = torch.tensor(size).expand(len(g), 2) - 1
    return LatticePose((twice - turned(tables, element, twice)) // 2, element)


def identity_pose(count: int, device: torch.device | None = None) -> LatticePose:
    """No move, for each of `count` examples."""
    return LatticePose(
        torch.zeros(count, 2, dtype=torch.long, device=device), torch.zeros(count, dtype=torch.long, device=device)
    )
