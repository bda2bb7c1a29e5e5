"""One-hot identifiers: every node knows its position, so that no permutation of nodes holds by design.

Legend of axes: `B` clouds, `P` points, `F` numbers per point, `N` positions, `O` output numbers.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud
from learnsym.ragged import Ragged, points_in, with_points
from learnsym.relax.points.extras import Make, enlarged, with_scalars


class OneHotIdentifiers(nn.Module):
    """A network on clouds whose node at position `n` carries the unit vector `e_n` as scalars: no permutation holds.

    Args:
        make: builds the network for the enlarged inputs, `S + N` scalars.
        inputs: types of the clouds.
        positions: number `N`, at least that of the points of each cloud.

    Raises:
        ValueError: when the clouds do not lie in space, there is no position, or a cloud has too many points.

    Example:
        >>> make = lambda inputs: ls.nets.points.EGNN(inputs, ls.actions.PointCloud(), hidden=8, layers=1)
        >>> ls.relax.points.OneHotIdentifiers(make, ls.actions.PointCloud(), positions=5)(torch.randn(2, 5, 3)).shape
        torch.Size([2, 5, 3])
    """

    units: Tensor

    def __init__(self, make: Make, inputs: PointCloud, positions: int) -> None:
        super().__init__()
        if positions < 1:
            raise ValueError(f"positions: got {positions}, must be >= 1, that of the largest cloud")
        self.inputs = inputs
        self.net = make(enlarged(inputs, scalars=positions))
        self.register_buffer("units", torch.eye(positions), persistent=False)

    def forward(self, x: Float[Tensor, "B P F"] | Ragged) -> Float[Tensor, "B P O"]:
        """The outputs of the network."""
        return self.net(with_points(x, with_scalars(self.inputs, points_in(x), self.units)))
