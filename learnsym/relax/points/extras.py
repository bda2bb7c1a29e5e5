"""Extra inputs of points: clouds with more vectors and scalars, and the network that gets none of them.

Legend of axes: `B` clouds, `N` points, `P` positions, `F` numbers per point, `V` extra vectors, `S` extra scalars, `O`
output numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud
from learnsym.ragged import Ragged, points_in, with_points

Make = Callable[[PointCloud], nn.Module]
"""Builds a network for the types of its inputs; outputs and sizes are its own affair."""


def enlarged(inputs: PointCloud, vectors: int = 0, scalars: int = 0) -> PointCloud:
    """The types of clouds with more vectors and scalars per point.

    Raises:
        ValueError: when the clouds do not lie in space.

    Example:
        >>> enlarged(ls.actions.PointCloud(vectors=1), vectors=2, scalars=1)
        PointCloud(vectors=3, scalars=1, dim=3)
    """
    if inputs.dim != 3:
        raise ValueError(f"inputs: got dim={inputs.dim}, must be 3; relaxed networks of points live in space")
    return PointCloud(inputs.vectors + vectors, inputs.scalars + scalars)


def appended(
    inputs: PointCloud, x: Float[Tensor, "B N F"], vectors: Float[Tensor, "B N V 3"], scalars: Float[Tensor, "B N S"]
) -> Float[Tensor, "B N O"]:
    """Clouds of the types `enlarged(inputs, V, S)`: own vectors and scalars first, extra ones after them."""
    positions, own_vectors, own_scalars = inputs.split(x)
    every_vector = torch.cat([own_vectors, vectors.to(x.dtype)], 2)
    return inputs.join(positions, every_vector, torch.cat([own_scalars, scalars.to(x.dtype)], -1))


def with_scalars(
    inputs: PointCloud, points: Float[Tensor, "B N F"], scalars: Float[Tensor, "P S"]
) -> Float[Tensor, "B N O"]:
    """Clouds with the scalars of its position for each point.

    Raises:
        ValueError: for more points than positions.
    """
    count = points.shape[1]
    if count > len(scalars):
        raise ValueError(
            f"x: got clouds of {count} points, must be at most {len(scalars)}, of which there are identifiers; make "
            f"the network with positions={count}"
        )
    vectors = points.new_zeros(*points.shape[:2], 0, 3)
    return appended(inputs, points, vectors, scalars[:count].expand(len(points), -1, -1))


class WithoutExtras(nn.Module):
    """A network for enlarged clouds whose extra inputs are all 0: as equivariant as the network itself.

    Args:
        net: from clouds of the enlarged types.
        inputs: types of the clouds as they come.
        vectors: number `V` of extra vectors.
        scalars: number `S` of extra scalars.

    Example:
        >>> net = ls.nets.points.EGNN(ls.actions.PointCloud(scalars=2), ls.actions.PointCloud())
        >>> ls.relax.points.WithoutExtras(net, ls.actions.PointCloud(scalars=1), scalars=1).group.name
        'E(3)'
    """

    def __init__(self, net: nn.Module, inputs: PointCloud, vectors: int = 0, scalars: int = 0) -> None:
        super().__init__()
        enlarged(inputs, vectors, scalars)
        self.net, self.inputs, self.vectors, self.scalars = net, inputs, vectors, scalars
        if hasattr(net, "group"):
            self.group = net.group

    def forward(self, x: Float[Tensor, "B N F"] | Ragged) -> Float[Tensor, "B N O"]:
        """What the network makes of clouds that carry nothing beside their own."""
        points = points_in(x)
        vectors = points.new_zeros(*points.shape[:2], self.vectors, 3)
        scalars = points.new_zeros(*points.shape[:2], self.scalars)
        return self.net(with_points(x, appended(self.inputs, points, vectors, scalars)))
