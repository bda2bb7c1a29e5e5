"""Any network, in a pose that a small equivariant network chooses (Kaba et al. 2022, arXiv 2211.06489).

Legend of axes: `B` clouds, `N` points, `F` and `O` numbers per point, `V` vectors.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud, PointVectors
from learnsym.groups import SE3
from learnsym.nets.points.assembly import check_types
from learnsym.nets.points.egnn import EGNN
from learnsym.nets.points.frame_averaging import in_pose, plus_positions
from learnsym.nets.points.pairs import Mask, centred, over_points, soft_unit
from learnsym.nets.points.point_net import PointNet
from learnsym.ragged import Ragged

SOFTNESS = 1e-4
"""A mean shorter than this fraction of the size of its cloud gives no direction, nor does a cloud of this size."""


class Canonicalised(PointNet):
    """A plain network made equivariant by a learned pose: `F(x) = R f(Rᵀ x)`, and `R = R(x)` turns with `x`.

    A small `EGNN` gives weights to the positions from the centroid and the vectors of all points; two weighted means
    are made orthogonal (Gram and Schmidt), and the third column of `R` is their cross product: the group is SE(3).
    Directions are `y / (|y|² + ε²)^(1/2)`, so columns of `R` fade, smoothly, where a cloud has no two directions
    (symmetric bodies, points on a line). `F` is equivariant there too: `f` sees 0 where there is no direction, and
    moves no point along it.

    Reference: Equivariance with Learned Canonicalization Functions (Kaba et al. 2022), arXiv 2211.06489.

    Args:
        net: any network from `(B, N, inputs.features)` to `(B, N, outputs.features)`.
        inputs: types of the inputs.
        outputs: types of the outputs.
        hidden: number of features of the small network.
        layers: number of its layers.

    Returns:
        From clouds `(B, N, F)` numbers `(B, N, outputs.features)`.

    Raises:
        ValueError: when the types are not of space, nothing is predicted, or a size is below 1.

    Example:
        >>> inputs, outputs = ls.actions.PointCloud(1, 1), ls.actions.PointCloud()
        >>> net = ls.nets.points.Canonicalised(ls.nets.points.GNN(inputs, outputs), inputs, outputs)
        >>> net(torch.randn(2, 5, 7)).shape
        torch.Size([2, 5, 3])
    """

    def __init__(
        self,
        net: nn.Module,
        inputs: PointCloud,
        outputs: PointCloud | PointVectors,
        hidden: int = 32,
        layers: int = 2,
    ) -> None:
        super().__init__()
        check_types(inputs, outputs)
        self.net, self.inputs, self.outputs, self.group = net, inputs, outputs, SE3()
        weights = PointVectors(vectors=0, scalars=2 * (1 + inputs.vectors))
        self.weights = EGNN(inputs, weights, hidden, layers)

    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        positions, vectors, scalars = self.inputs.split(x)
        start = centred(positions, mask)
        centre = self.inputs.join(start, vectors, scalars)
        y = in_pose(self.net, self.inputs, self.outputs, self._pose(centre, mask), centre, mask)
        return plus_positions(self.outputs, y, positions)

    def _pose(self, x: Tensor, mask: Mask) -> Tensor:
        positions, vectors, _ = self.inputs.split(x)
        u = torch.cat([positions.unsqueeze(2), vectors], 2)
        with torch.autocast(x.device.type, enabled=False):
            u = u * (over_points(u.square().sum(-1), mask) + SOFTNESS**2).rsqrt()[:, None, :, None]
            weights = self.weights(x if mask is None else Ragged(x, mask)).unflatten(-1, (2, u.shape[2]))
            return gram_schmidt(over_points((weights.unsqueeze(-1) * u.unsqueeze(2)).sum(3), mask))


def gram_schmidt(y: Float[Tensor, "B 2 3"]) -> Float[Tensor, "B 3 3"]:
    """Columns `e_1 = s(y_1)`, `e_2 = s(y_2 - (y_2·e_1) e_1)` and `e_1 × e_2`, with `s(y) = y / (|y|² + ε²)^(1/2)`.

    Any matrix that turns with the cloud will do, so columns may be shorter than 1 where a direction is missing.
    """
    first = soft_unit(y[:, 0], SOFTNESS)
    second = soft_unit(y[:, 1] - (y[:, 1] * first).sum(-1, keepdim=True) * first, SOFTNESS)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)
