"""E(n) equivariant graph networks with a free path beside every layer.

Legend of axes: `B` clouds, `N` points, `V` input vectors, `K` predicted vectors, `H` features, `E` features of a pair,
`D` vectors that the free path sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.points.egnn import EGNN, EGNNLayer
from learnsym.nets.points.pairs import Mask
from learnsym.relax.gain import Gain, GainedLayer
from learnsym.relax.points.mean_square import MeanSquare


class FreePath(GainedLayer):
    """A layer of `EGNN` plus γ times a perceptron of each point that sees coordinates as mere numbers.

        (h, u) <- layer(h, u) + γ φ(h, x, v, u),    |φ| <= 1

    with `x` the positions from the centroid of the cloud, moved by `u`, so that translations stay exact and rotations
    and reflections break where γ is not 0. As `φ` is bounded, γ has a scale.

    Reference: Manolache, Chamon, Niepert (2025), arXiv 2505.13631 (ACE), for an exact layer plus γ times a perceptron;
    the bound is our own.

    Args:
        layer: of `EGNN`, with `moved >= 1` predicted vectors.
        hidden: number `H` of its features, and width of the perceptron.
        vectors: number `V` of vectors of the input.
        moved: number `K` of predicted vectors.
        start: γ at the start.

    Raises:
        ValueError: for a layer that predicts no vector, since nothing of it can break rotations alone.
    """

    method = "free path"

    def __init__(self, layer: EGNNLayer, hidden: int, vectors: int, moved: int, *, start: float = 1.0) -> None:
        super().__init__()
        if moved < 1:
            raise ValueError(f"moved: got {moved}, must be >= 1, so that the layer predicts a vector")
        self.layer, self.moved = layer, moved
        self.features = hidden if layer.node is not None else 0
        self.seen_vectors = 1 + vectors + moved
        first = nn.Linear(hidden + 3 * self.seen_vectors, hidden)
        self.phi = nn.Sequential(first, nn.SiLU(), nn.Linear(hidden, self.features + 3 * moved), nn.Tanh())
        self.gain = Gain(start)
        self.free_size, self.exact_size = MeanSquare(), MeanSquare()

    @property
    def group_name(self) -> str:
        return "O(3)"

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
        next_h, next_u = self.layer(h, start, u, vectors, edges, mask)
        phi = self.phi(torch.cat([h, self._vectors(start, u, vectors).flatten(2).to(h.dtype)], -1))
        phi = phi if mask is None else phi * mask.unsqueeze(-1)
        if self.training:
            change = torch.cat([(next_h - h)[..., : self.features], (next_u - u).flatten(2)], -1)
            self._measure(self.free_size, phi, mask)
            self._measure(self.exact_size, change, mask)
        for_h, for_u = (self.gain() * phi).split([self.features, 3 * self.moved], -1)
        next_h = next_h + for_h if self.features else next_h
        return next_h, next_u + for_u.unflatten(-1, (self.moved, 3)).to(next_u.dtype)

    def _measure(self, size: MeanSquare, values: Tensor, mask: Mask) -> None:
        size.update((values if mask is None else values[mask]).detach().square())

    def _vectors(self, start: Tensor, u: Tensor, vectors: Tensor) -> Float[Tensor, "B N D 3"]:
        return torch.cat([(start + u[:, :, 0]).unsqueeze(2), vectors, u], 2)

    def relative_size(self) -> Float[Tensor, ""]:
        return self.gain().abs() * self.free_size.root() / self.exact_size.root()

    def observed(self, inputs: Sequence[Any], outputs: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        _, start, u, vectors, *_ = inputs
        seen = self._vectors(start, u, vectors).detach()
        return torch.cat([torch.ones_like(seen[..., :1, 0]), seen.flatten(2)], -1), outputs[1]

    def correlation(self, x: Float[Tensor, "B N F"], gradient: Float[Tensor, "B N K 3"]) -> Float[Tensor, "O F"]:
        return gradient.flatten(2).flatten(0, 1).mT @ x.flatten(0, 1)

    def departure(self, weights: Float[Tensor, "O F"]) -> Float[Tensor, "O F"]:
        # from constants to vectors P(M) = 0, from vectors to vectors P(M) = tr(M) / 3 · 1
        constants, between = weights.split([1, 3 * self.seen_vectors], -1)
        blocks = between.unflatten(1, (-1, 3)).unflatten(0, (-1, 3))
        traces = blocks.diagonal(dim1=1, dim2=3).mean(-1)
        invariant = traces[:, None, :, None] * torch.eye(3).to(weights)[:, None]
        return torch.cat([constants, (blocks - invariant).flatten(2).flatten(0, 1)], -1)

    def exact(self) -> EGNNLayer:
        """The layer of `EGNN` alone."""
        return self.layer


def with_free_paths(net: nn.Module, *, start: float = 1.0) -> EGNN:
    """The network with a free path beside each of its layers, in place.

    Args:
        net: that predicts at least one vector.
        start: every γ at the start.

    Returns:
        The network; `equivariant.exact_twin` of it is the one without free paths.

    Raises:
        ValueError: for another network, or one that predicts scalars only.

    Example:
        >>> net = ls.nets.points.EGNN(ls.actions.PointCloud(vectors=1), ls.actions.PointCloud(), hidden=8, layers=2)
        >>> net = ls.nets.points.with_free_paths(net)
        >>> [degree.site for degree in ls.degrees(net)]
        ['layer:layers.0', 'layer:layers.1']
    """
    if not isinstance(net, EGNN):
        raise ValueError(f"net: got {type(net).__name__}, must be nets.points.EGNN, whose layers can have free paths")
    vectors = net.inputs.vectors
    layers = [cast("EGNNLayer", layer) for layer in net.layers]
    paths = [FreePath(layer, net.embed.out_features, vectors, net.moved, start=start) for layer in layers]
    net.layers = nn.ModuleList(paths)
    return net
