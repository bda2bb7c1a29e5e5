"""Graph networks with complete local frames (Du et al. 2021, arXiv 2110.14811): ClofNet, once EVFN.

Legend of axes: `B` clouds, `N` points, `F` numbers per point, `V` input vectors, `K` predicted vectors, `H` features,
`A` axes of a frame.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from learnsym.actions import PointCloud, PointVectors
from learnsym.nets.blocks import at_least_one
from learnsym.nets.points.assembly import assemble, check_types, vector_count
from learnsym.nets.points.local_frames import (
    CompleteFrames,
    Frames,
    MirrorFrames,
    components,
    local_frames,
    pseudo_angle,
)
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
)
from learnsym.nets.points.perceptrons import mix_vectors, perceptron, read, small_perceptron
from learnsym.nets.points.point_net import PointNet


class FrameNet(PointNet):
    """What `ClofNet` and `ClofNetE3` share: messages of scalars, made into vectors by frames of pairs."""

    frames: ClassVar[Frames]

    def __init__(
        self, inputs: PointCloud, outputs: PointCloud | PointVectors, hidden: int = 64, layers: int = 4
    ) -> None:
        super().__init__()
        check_types(inputs, outputs)
        at_least_one(hidden=hidden, layers=layers)
        self.inputs, self.outputs, self.group = inputs, outputs, self.frames.group
        self.moved = vector_count(outputs)
        self.embed = nn.Linear(point_invariant_count(inputs.vectors, inputs.scalars), hidden)
        scalars = self.frames.scalar_count(inputs.vectors) + 2 + inputs.scalars + 1
        self.geometry = perceptron(scalars, hidden, hidden)
        # features that nothing reads are not made
        keeps = [True] * (layers - 1) + [bool(outputs.scalars or (self.moved and inputs.vectors))]
        axes = self.frames.axis_count(inputs.vectors)
        self.layers = nn.ModuleList(FrameLayer(hidden, inputs.vectors, self.moved, axes, keep) for keep in keeps)
        self.readout = nn.Linear(hidden, outputs.scalars) if outputs.scalars else None

    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        positions, vectors, scalars = self.inputs.split(x)
        start = centred(positions, mask)
        h = self.embed(point_invariants(vectors, scalars))
        t = self.geometry(self._scalars(start, vectors, scalars))
        u = start.new_zeros(*start.shape[:2], self.moved, 3)
        for layer in self.layers:
            h, u = layer(h, t, start, u, vectors, self.frames, mask)
        return assemble(self.outputs, positions, u, read(self.readout, h))

    def _scalars(self, x: Tensor, vectors: Tensor, scalars: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            parts = components(local_frames(x), x, vectors)
        return torch.cat([self.frames.scalars(parts), pseudo_angle(x), pair_invariants(x, scalars)], -1)


class ClofNet(FrameNet):
    """The graph network with complete local frames: scalars inside, vectors at the end of each layer.

    Positions are taken from the centroid. Once, on the input, the positions and vectors of both points of a pair are
    projected on its frame `(a, b, c)_ij`, and a perceptron makes features `t_ij` of these scalars, a pseudo-angle,
    products of charges and the distance. From messages `m_ij = φ_e(h_i, h_j, t_ij, log(1 + |x_ij|²))` each layer makes

        h_i <- norm(h_i + φ_h(h_i, mean_j m_ij)),    x_i <- x_i + mean_j φ_x(m_ij) · (a, b, c)_ij + φ_v(h_i) v_i,

    with three coefficients `φ_x` per pair and the frame of the moved points. `b` is a pseudovector: the group is SE(3),
    and `ClofNetE3` keeps reflections too. Where a frame fades to zero: `learnsym.nets.points.local_frames`.

    Reference: SE(3) Equivariant Graph Neural Networks with Complete Local Frames (Du et al. 2021), arXiv 2110.14811.

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
        >>> net = ls.nets.points.ClofNet(ls.actions.PointCloud(vectors=1, scalars=1), ls.actions.PointCloud())
        >>> net(torch.randn(2, 5, 7)).shape, net.group.name
        (torch.Size([2, 5, 3]), 'SE(3)')
    """

    frames = CompleteFrames()


class ClofNetE3(FrameNet):
    """`ClofNet` that keeps reflections: nothing notices the sign of `b` (`MirrorFrames` says what is lost).

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
        >>> ls.nets.points.ClofNetE3(ls.actions.PointCloud(1, 1), ls.actions.PointCloud()).group.name
        'E(3)'
    """

    frames = MirrorFrames()


class FrameLayer(nn.Module):
    """One layer of a `FrameNet`.

    Args:
        hidden: number `H` of features.
        vectors: number `V` of vectors of the input.
        moved: number `K` of predicted vectors; the first one moves the points.
        axes: number `A` of axes of a frame.
        features: whether features are updated.
    """

    def __init__(self, hidden: int, vectors: int, moved: int, axes: int, features: bool) -> None:
        super().__init__()
        self.moved, self.axes = moved, axes
        self.pair = PairLinear(hidden, hidden + 1, hidden)
        self.message = nn.Linear(hidden, hidden)
        self.node = perceptron(2 * hidden, hidden, hidden) if features else None
        self.norm = nn.LayerNorm(hidden) if features else None
        self.along = small_perceptron(hidden, moved * axes) if moved else None
        self.drift = perceptron(hidden, hidden, moved * vectors) if moved and vectors else None

    def forward(
        self,
        h: Float[Tensor, "B N H"],
        t: Float[Tensor, "B N N H"],
        start: Float[Tensor, "B N 3"],
        u: Float[Tensor, "B N K 3"],
        vectors: Float[Tensor, "B N V 3"],
        frames: Frames,
        mask: Mask = None,
    ) -> tuple[Float[Tensor, "B N H"], Float[Tensor, "B N K 3"]]:
        """Features and predicted vectors of the next layer."""
        x = start + u[:, :, 0] if self.moved else start
        m = functional.silu(self.pair(h, torch.cat([t, log_square(differences(x))], -1)))
        m = functional.silu(self.message(m))
        if self.node is not None and self.norm is not None:
            h = self.norm(h + self.node(torch.cat([h, pair_mean(m, mask).to(h.dtype)], -1)))
        if self.along is not None:
            along = self.along(m) if mask is None else self.along(m) * mask[:, None, :, None]
            u = u + per_partner(self._vectors(along.to(x.dtype), x, vectors, frames), mask)
        if self.drift is not None:
            u = u + mix_vectors(self.drift(h), vectors)
        return h, u

    def _vectors(self, coefficients: Tensor, x: Tensor, vectors: Tensor, frames: Frames) -> Tensor:
        """`sum_j sum_A coefficients axis`; the frame of a point with itself is 0."""
        with torch.autocast(x.device.type, enabled=False):
            axes = frames.axes(local_frames(x), vectors).flatten(2, 3)
            weights = coefficients.unflatten(-1, (self.moved, self.axes)).movedim(3, 2).flatten(3)
            return weights @ axes
