"""E(n) equivariant graph networks (Satorras, Hoogeboom, Welling 2021, arXiv 2102.09844), on clouds with velocities.

Legend of axes: `B` clouds, `N` points, `F` numbers per point, `V` input vectors, `K` predicted vectors, `H` features,
`E` features of a pair.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from learnsym.actions import PointCloud, PointVectors
from learnsym.groups import E3
from learnsym.nets.blocks import at_least_one
from learnsym.nets.points.assembly import assemble, check_types, vector_count
from learnsym.nets.points.pairs import (
    Mask,
    PairLinear,
    centred,
    differences,
    log_square,
    pair_invariants,
    pair_mean,
    per_partner,
    point_invariant_count,
    point_invariants,
    soft_unit,
)
from learnsym.nets.points.perceptrons import mix_vectors, perceptron, read, small_perceptron
from learnsym.nets.points.point_net import PointNet


class EGNN(PointNet):
    """The E(n) equivariant graph network with velocities: points that exchange messages move along their differences.

    From messages `m_ij = φ_e(h_i, h_j, log(1 + |x_ij|²), e_ij)` of all pairs, `x_ij = x_i - x_j`, each layer makes

        h_i <- h_i + φ_h(h_i, mean_j m_ij),    x_i <- x_i + mean_j φ_x(m_ij) x_ij / (1 + |x_ij|²)^(1/2) + φ_v(h_i) v_i.

    `h_i` starts from the scalars and the inner products of the vectors of a point, such as its speed; `e_ij` are the
    products of the scalars (charges) and the distance in the input. Everything is smooth.

    Coordinates of many or distant points explode in the network as published, which has a sum of messages, `|x_ij|²`
    and `x_ij`; here means, the logarithm and differences shorter than 1 keep them in bounds.

    The first predicted vector moves the points of the next layer; more vectors are made in the same way beside it.

    Reference: E(n) Equivariant Graph Neural Networks (Satorras, Hoogeboom, Welling 2021), arXiv 2102.09844.

    Args:
        inputs: types of the inputs, `V` vectors and `S` scalars per point.
        outputs: types of the outputs.
        hidden: number `H` of features.
        layers: number of layers.

    Returns:
        From clouds `(B, N, F)` numbers `(B, N, outputs.features)`.

    Raises:
        ValueError: when the types are not of space, nothing is predicted, or a size is below 1.

    Example:
        >>> net = ls.nets.points.EGNN(ls.actions.PointCloud(vectors=1, scalars=1), ls.actions.PointCloud())
        >>> net(torch.randn(2, 5, 7)).shape, net.group.name
        (torch.Size([2, 5, 3]), 'E(3)')
    """

    def __init__(
        self, inputs: PointCloud, outputs: PointCloud | PointVectors, hidden: int = 64, layers: int = 4
    ) -> None:
        super().__init__()
        check_types(inputs, outputs)
        at_least_one(hidden=hidden, layers=layers)
        self.inputs, self.outputs, self.group = inputs, outputs, E3()
        self.moved = vector_count(outputs)
        self.embed = nn.Linear(point_invariant_count(inputs.vectors, inputs.scalars), hidden)
        # features that nothing reads are not made
        keeps = [True] * (layers - 1) + [bool(outputs.scalars or (self.moved and inputs.vectors))]
        pairs = inputs.scalars + 1
        self.layers = nn.ModuleList(EGNNLayer(hidden, pairs, inputs.vectors, self.moved, keep) for keep in keeps)
        self.readout = nn.Linear(hidden, outputs.scalars) if outputs.scalars else None

    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        positions, vectors, scalars = self.inputs.split(x)
        start = centred(positions, mask)
        edges = pair_invariants(start, scalars)
        h = self.embed(point_invariants(vectors, scalars))
        u = start.new_zeros(*start.shape[:2], self.moved, 3)
        for layer in self.layers:
            h, u = layer(h, start, u, vectors, edges, mask)
        return assemble(self.outputs, positions, u, read(self.readout, h))


class EGNNLayer(nn.Module):
    """One layer of `EGNN`.

    Args:
        hidden: number `H` of features.
        pairs: number `E` of features of a pair that do not change.
        vectors: number `V` of vectors of the input.
        moved: number `K` of predicted vectors; the first one moves the points.
        features: whether features are updated.
    """

    def __init__(self, hidden: int, pairs: int, vectors: int, moved: int, features: bool) -> None:
        super().__init__()
        self.pair = PairLinear(hidden, pairs + 1, hidden)
        self.message = nn.Linear(hidden, hidden)
        self.node = perceptron(2 * hidden, hidden, hidden) if features else None
        self.along = small_perceptron(hidden, moved) if moved else None
        self.drift = perceptron(hidden, hidden, moved * vectors) if moved and vectors else None

    def forward(
        self,
        h: Float[Tensor, "B N H"],
        start: Float[Tensor, "B N 3"],
        u: Float[Tensor, "B N K 3"],
        vectors: Float[Tensor, "B N V 3"],
        edges: Float[Tensor, "B N N E"],
        mask: Mask = None,
    ) -> tuple[Float[Tensor, "B N H"], Float[Tensor, "B N K 3"]]:
        """Features and predicted vectors of the next layer."""
        apart = differences(start + u[:, :, 0] if self.along is not None else start)
        m = functional.silu(self.pair(h, torch.cat([edges, log_square(apart)], -1)))
        m = functional.silu(self.message(m))
        if self.node is not None:
            h = h + self.node(torch.cat([h, pair_mean(m, mask).to(h.dtype)], -1))
        if self.along is not None:
            # the difference of a point from itself is 0
            along = self.along(m) if mask is None else self.along(m) * mask[:, None, :, None]
            u = u + per_partner((along.unsqueeze(-1) * soft_unit(apart).unsqueeze(3)).sum(2), mask)
        if self.drift is not None:
            u = u + mix_vectors(self.drift(h), vectors)
        return h, u
