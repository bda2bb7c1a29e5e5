"""Cosets of a coarser plane group, and a pose as a product of one representative for each level.

Legend of axes: `B` batch, `G`, `K` elements of the finer and the coarser group of turns and flips, `Q` their cosets.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from learnsym.equivariant.subsampling.pose import LatticePose, LatticeTables, lattice_tables, turned
from learnsym.groups import Group
from learnsym.representations import Quotient


class Cosets(NamedTuple):
    """The cosets `p K` of `K = (sZ)² ⋊ K_0` in `Z² ⋊ G_0`: the remainder of the shift by `s`, and a coset of `K_0`."""

    stride: int
    """`s`."""
    fine: LatticeTables
    """Of `G_0`."""
    members: Int[Tensor, "Q K"]
    """The elements of each coset of `K_0` in the order of `K_0`; its first one represents it."""
    coset: Int[Tensor, "G"]
    """The coset of each element."""
    place: Int[Tensor, "G"]
    """The place of each element in its coset: what is left of it, as an element of `K_0`."""


@lru_cache
def cosets_of(group: Group, subgroup: Group, stride: int) -> Cosets:
    """Tables for one level of subsampling: pixels by a stride, turns and flips to a subgroup.

    Raises:
        ValueError: for a stride below 1, groups that do not map pixels to pixels, or no subgroup.
    """
    if stride < 1:
        raise ValueError(f"stride: got {stride}, must be at least 1; 2 halves the sides")
    fine, quotient = lattice_tables(group), Quotient(group, subgroup)
    coset = quotient.cosets()
    first = torch.stack([(coset == q).nonzero()[0, 0] for q in range(quotient.size)])
    distances = (subgroup.components[:, None] - group.components).abs().amax((-2, -1))
    members = fine.products[first][:, distances.argmin(1)]
    place = (members[coset] == torch.arange(len(coset))[:, None]).long().argmax(1)
    return Cosets(stride, fine, members, coset, place)


def representative(cosets: Cosets, pose: LatticePose) -> LatticePose:
    """The representative `s(p)` of the coset `p K` that holds a pose: shift in `0 ... s - 1`, first element."""
    return LatticePose(pose.shift % cosets.stride, cosets.members[cosets.coset[pose.element], 0])


def remainder(cosets: Cosets, pose: LatticePose) -> LatticePose:
    """`k = s(p)^-1 g` as a pose of the coarser grid: shifts in units of the stride, elements in those of `K_0`."""
    chosen = representative(cosets, pose)
    back = cosets.fine.inverses[chosen.element]
    shift = turned(cosets.fine, back, pose.shift - chosen.shift)
    return LatticePose(torch.div(shift, cosets.stride, rounding_mode="floor"), cosets.place[pose.element])


def factorise(levels: Sequence[Cosets], pose: LatticePose) -> tuple[list[LatticePose], LatticePose]:
    """A pose as `s(p_1) s(p_2) ... s(p_L) k`: the index of each level of a chain of subgroups, and what is left.

    Reference: Xu, Kim, Rainforth, Teh, "Group equivariant subsampling" (2021), arXiv 2106.05886.
    """
    indices = []
    for level in levels:
        indices.append(representative(level, pose))
        pose = remainder(level, pose)
    return indices, pose


def embedded(cosets: Cosets, pose: LatticePose) -> LatticePose:
    """A pose of the coarser grid as a pose of the finer one, in the coset of the identity: undoes `remainder`."""
    return LatticePose(pose.shift * cosets.stride, cosets.members[0][pose.element])
