"""The geometric algebra transformer on clouds, with the group as an argument.

Legend of axes: `B` clouds, `N` points, `F`, `O` numbers per point, `T = B N` tokens, `C` channels, `S` scalars.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud, PointVectors
from learnsym.equivariant.projective.features import Features, add, embedded, in_own_frame, normalised
from learnsym.equivariant.projective.layers import GeometricAttention, GeometricMLP
from learnsym.equivariant.projective.linear import MultivectorLinear
from learnsym.equivariant.projective.maps import (
    GROUPS,
    SCALARS,
    check_group,
    invariant_columns,
    polar_columns,
    signs_of,
)
from learnsym.nets.blocks import at_least_one
from learnsym.nets.points.assembly import assemble, check_types, vector_count
from learnsym.nets.points.pairs import Mask, centred
from learnsym.nets.points.point_net import PointNet


class GATr(PointNet):
    """A transformer whose tokens carry multivectors, exactly equivariant under E(3), SE(3) or SO(3).

    Points become trivectors of the projective geometric algebra, vectors (velocities) ideal lines, and planes and lines
    through the points. Blocks have
    attention by invariants and distances, then geometric products and joins between linear maps. Vectors are read in
    the frame of each point, `P - p x` and `m - B×x`, which translations do not change, weighted by invariants.

    Under E(3) half of the channels carry multivectors that change sign under mirrors, so that the join, of which the
    result is of the other kind, is exactly equivariant; a group that contains fewer elements has more maps.

    Reference: Geometric algebra transformer (Brehmer, de Haan, Behrends, Cohen 2023), arXiv 2305.18415.

    Args:
        inputs: types of the inputs.
        outputs: types of the outputs.
        blocks: number of blocks.
        channels: multivectors `C` of a token, a multiple of 4 and of `heads`.
        scalars: auxiliary scalars `S` of a token, a multiple of `heads`.
        heads: attention heads.
        group: "E(3)", "SE(3)", or "SO(3)", where positions are relative to the origin.

    Returns:
        From clouds `(B, N, F)` numbers `(B, N, outputs.features)`.

    Raises:
        ValueError: for another group, types that are not of space, nothing to predict, or sizes that do not divide.

    Example:
        >>> cloud = ls.actions.PointCloud(vectors=1, scalars=1)
        >>> net = ls.nets.points.GATr(cloud, ls.actions.PointCloud(), blocks=1, channels=8, scalars=16, heads=4)
        >>> net(torch.randn(2, 5, 7)).shape, net.group.name
        (torch.Size([2, 5, 3]), 'E(3)')
    """

    def __init__(
        self,
        inputs: PointCloud,
        outputs: PointCloud | PointVectors,
        blocks: int = 10,
        channels: int = 16,
        scalars: int = 128,
        heads: int = 8,
        group: str = "E(3)",
    ) -> None:
        super().__init__()
        check_types(inputs, outputs)
        check_group(group)
        at_least_one(blocks=blocks, channels=channels, scalars=scalars, heads=heads)
        _check_sizes(channels, scalars, heads)
        self.inputs, self.outputs, self.group = inputs, outputs, GROUPS[group]()
        self.centred = group != "SO(3)"
        self.embed = MultivectorLinear((2 * inputs.vectors + 2, channels), (inputs.scalars, scalars), group)
        self.blocks = nn.ModuleList(GATrBlock(channels, scalars, heads, group) for _ in range(blocks))
        signs = signs_of(group, channels)
        invariants = invariant_columns(group, signs, SCALARS)
        auxiliary = torch.arange(4 * channels, 4 * channels + scalars)
        self.register_buffer("invariants", torch.cat([invariants, auxiliary]), persistent=False)
        self.register_buffer("polar", polar_columns(group, signs), persistent=False)
        count = vector_count(outputs)
        self.gates = nn.Linear(len(self.invariants), len(self.polar)) if count else None
        self.read_vectors = nn.Linear(len(self.polar), count, bias=False) if count else None
        self.read_scalars = nn.Linear(len(self.invariants), outputs.scalars) if outputs.scalars else None

    invariants: Tensor
    polar: Tensor

    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        positions, vectors, scalars = self.inputs.split(x)
        start = centred(positions, mask) if self.centred else positions
        tokens = embedded(start.flatten(0, 1), vectors.flatten(0, 1), scalars.flatten(0, 1))
        y = self.embed(tokens)
        y = Features(y.scalars.to(x.dtype), y.vectors.to(x.dtype))
        for block in self.blocks:
            y = block(y, x.shape[0], mask)
        y = normalised(y)
        if self.centred:
            y = in_own_frame(y, start.flatten(0, 1))
        return self._read(positions, y)

    def _read(self, positions: Tensor, y: Features) -> Tensor:
        shape = positions.shape[:2]
        invariants = y.scalars.index_select(0, self.invariants).T
        vectors, scalars = y.vectors[:0].permute(2, 1, 0), invariants[:, :0]
        if self.gates is not None and self.read_vectors is not None:
            polar = y.vectors.index_select(0, self.polar).permute(2, 1, 0)
            vectors = self.read_vectors(polar * (1 + self.gates(invariants)).unsqueeze(1))
        if self.read_scalars is not None:
            scalars = self.read_scalars(invariants)
        vectors = vectors.transpose(1, 2).unflatten(0, shape)
        return assemble(self.outputs, positions, vectors, scalars.unflatten(0, shape))


class GATrBlock(nn.Module):
    """Attention and products, each of normalised features and added to them."""

    def __init__(self, channels: int, scalars: int, heads: int, group: str) -> None:
        super().__init__()
        self.attention = GeometricAttention(channels, scalars, heads, group)
        self.mlp = GeometricMLP(channels, scalars, group)

    def forward(self, x: Features, clouds: int, mask: Mask = None) -> Features:
        """Tokens of `clouds` clouds, one after another."""
        x = add(x, self.attention(normalised(x), clouds, mask))
        return add(x, self.mlp(normalised(x)))


def _check_sizes(channels: int, scalars: int, heads: int) -> None:
    if channels % 4 or channels % heads:
        raise ValueError(
            f"channels: got {channels}, must be a multiple of 4 and of heads={heads}; choose such a number"
        )
    if scalars % heads:
        raise ValueError(f"scalars: got {scalars}, must be a multiple of heads={heads}; choose such a number")
