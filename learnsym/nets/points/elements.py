"""Atomic numbers as a second input: learned features of elements, beside what points carry.

Legend of axes: `B` clouds, `N` points, `O` numbers per point.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud
from learnsym.nets.blocks import at_least_one
from learnsym.ragged import Ragged
from learnsym.relax.points.extras import Make, appended, enlarged

LAST = 118
"""The atomic number of the last element."""


class Elements(nn.Module):
    """Any network of points, to which each atom also brings a learned vector of its element, as scalars.

    Nothing moves these scalars, so that the network keeps its symmetry.

    Args:
        make: builds the network for the enlarged inputs.
        inputs: types of what points carry beside their element.
        features: number of scalars of an element.

    Returns:
        From `Ragged` clouds with atomic numbers, numbers `(B, N, O)` of the network.

    Raises:
        ValueError: for clouds without atomic numbers, or with a number of no element.

    Example:
        >>> make = lambda inputs: ls.nets.points.EGNN(inputs, ls.actions.PointVectors(), hidden=8, layers=1)
        >>> net = ls.nets.points.Elements(make, ls.actions.PointCloud())
        >>> numbers = [torch.tensor([8, 1, 1]), torch.tensor([6, 1, 1, 1, 1])]
        >>> molecules = ls.data.Ragged.of([torch.rand(3, 3), torch.rand(5, 3)], numbers)
        >>> net(molecules).shape, net.group.name
        (torch.Size([2, 5, 3]), 'E(3)')
    """

    def __init__(self, make: Make, inputs: PointCloud, features: int = 8) -> None:
        super().__init__()
        at_least_one(features=features)
        self.inputs, self.net = inputs, make(enlarged(inputs, scalars=features))
        self.embedding = nn.Embedding(LAST + 1, features)
        self.group = getattr(self.net, "group", None)

    def forward(self, x: Ragged) -> Float[Tensor, "B N O"]:
        if x.numbers is None:
            raise ValueError("numbers: got none, must be the atomic number of each atom; give Ragged(x, mask, numbers)")
        numbers = torch.where(x.mask, x.numbers, 0)
        if bool(((numbers < 0) | (numbers > LAST)).any()):
            raise ValueError(f"numbers: got {int(numbers.max())}, must be those of elements, 0 to {LAST}")
        vectors = x.x.new_zeros(*x.x.shape[:2], 0, 3)
        return self.net(Ragged(appended(self.inputs, x.x, vectors, self.embedding(numbers)), x.mask))
