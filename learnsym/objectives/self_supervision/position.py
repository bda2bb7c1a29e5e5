"""Relative patch position: on which side of the centre was this tile?"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.groups import Group
from learnsym.objectives.self_supervision.label_fields import label_fields
from learnsym.objectives.self_supervision.pretext import Pretext
from learnsym.objectives.self_supervision.tiles import CENTRE, PLACES, cut, place_moves


class RelativePosition(Pretext):
    """Where a tile lies beside the one in the centre: two views, the centre and a neighbour, and eight labels.

    A quarter turn moves sides to sides and corners to corners: the labels are two regular fields of `C_4`, and for
    `D_4` two quotient fields, since a reflection fixes each place. The label moves only together with what is in the
    tiles, so both are turned by the same element.

    Reference: the task: Doersch, Gupta, Efros, "Unsupervised visual representation learning by context prediction"
    (2015), arXiv 1505.05192.

    Args:
        group: C_1, C_2, C_4, D_1, D_2 or D_4.
        tile: pixels of a tile; the side of pictures differs from it by an even number.

    Raises:
        ValueError: for a group that does not map pixels to pixels; when drawn, for pictures that do not fit.

    Example:
        >>> ls.objectives.RelativePosition(ls.groups.Dihedral(4), tile=8).labels
        D_4: 1 x quotient by D_4[0, 5] + 1 x quotient by D_4[0, 4]
    """

    name = "position"
    views = 2

    def __init__(self, group: Group, tile: int) -> None:
        self.group, self.tile = group, tile
        neighbours = [place for place in range(PLACES) if place != CENTRE]
        moved = place_moves(group)[:, neighbours]
        self.labels, order = label_fields(group, moved - (moved > CENTRE).long())
        self.places = torch.tensor([neighbours[label] for label in order])

    def make(self, x: Float[Tensor, "B C H W"], label: Int[Tensor, "B"]) -> Float[Tensor, "B 2 C t t"]:
        """The tile in the centre, and the one at the place of the label."""
        tiles = cut(x, self.tile)
        place = self.places.to(x.device)[label]
        return torch.stack([tiles[:, CENTRE], tiles[torch.arange(len(x), device=x.device), place]], 1)
