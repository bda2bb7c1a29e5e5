"""The plain message passing network that the equivariant ones are compared with.

Legend of axes: `B` clouds, `N` points, `F` and `O` numbers per point, `H` features, `E` features of a pair.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from learnsym.actions import PointCloud, PointVectors
from learnsym.nets.blocks import at_least_one
from learnsym.nets.points.assembly import assemble, check_types, vector_count
from learnsym.nets.points.pairs import Mask, PairLinear, pair_sum
from learnsym.nets.points.perceptrons import perceptron
from learnsym.nets.points.point_net import PointNet


class GNN(PointNet):
    """Message passing over all pairs on positions and vectors as plain numbers; keeps permutations only.

    With `h_i` from all numbers of a point and `e_ij` the products of scalars (charges), each layer makes

        m_ij = φ_e(h_i, h_j, e_ij),    h_i <- h_i + φ_h(h_i, Σ_j m_ij),

    and a perceptron reads the outputs, positions as displacements.

    Reference: Neural Message Passing for Quantum Chemistry (Gilmer et al. 2017), arXiv 1704.01212; as the baseline of
    Satorras, Hoogeboom, Welling (2021), arXiv 2102.09844.

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
        >>> ls.nets.points.GNN(ls.actions.PointCloud(1, 1), ls.actions.PointCloud())(torch.randn(2, 5, 7)).shape
        torch.Size([2, 5, 3])
    """

    group = None

    def __init__(
        self, inputs: PointCloud, outputs: PointCloud | PointVectors, hidden: int = 64, layers: int = 4
    ) -> None:
        super().__init__()
        check_types(inputs, outputs)
        at_least_one(hidden=hidden, layers=layers)
        self.inputs, self.outputs = inputs, outputs
        self.vectors = vector_count(outputs)
        self.embed = nn.Linear(inputs.features, hidden)
        self.layers = nn.ModuleList(GNNLayer(hidden, inputs.scalars) for _ in range(layers))
        self.readout = perceptron(hidden, hidden, 3 * self.vectors + outputs.scalars)

    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        positions, _, scalars = self.inputs.split(x)
        edges = scalars.unsqueeze(2) * scalars.unsqueeze(1)
        h = self.embed(x)
        for layer in self.layers:
            h = layer(h, edges, mask)
        vectors, read = self.readout(h).split([3 * self.vectors, self.outputs.scalars], -1)
        return assemble(self.outputs, positions, vectors.unflatten(-1, (self.vectors, 3)), read)


class GNNLayer(nn.Module):
    """One layer of `GNN`, with `pairs` features per pair."""

    def __init__(self, hidden: int, pairs: int) -> None:
        super().__init__()
        self.pair = PairLinear(hidden, pairs, hidden)
        self.message = nn.Linear(hidden, hidden)
        self.node = perceptron(2 * hidden, hidden, hidden)

    def forward(
        self, h: Float[Tensor, "B N H"], edges: Float[Tensor, "B N N E"], mask: Mask = None
    ) -> Float[Tensor, "B N H"]:
        """Features of the next layer."""
        m = functional.silu(self.pair(h, edges))
        m = pair_sum(functional.silu(self.message(m)), mask)
        return h + self.node(torch.cat([h, m.to(h.dtype)], -1))
