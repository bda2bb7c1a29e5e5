"""Residual pathways between grids: the mean of a free and of a convolutional map, such as FC+CONV.

Legend of axes: `B` batch, `c` channels in, `d` channels out, `X` pixels in, `Y` pixels out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.relax.factored import FactoredMap
from learnsym.relax.grid_maps import ConvMap, DenseMap, translation_degrees, translation_distance
from learnsym.relax.residual_pathway import checked_variance
from learnsym.relax.sparsified import SparsifiedConv, SparsifiedMap

FreePath = DenseMap | FactoredMap | SparsifiedMap
ExactPath = ConvMap | SparsifiedConv


class GridPathway(nn.Module):
    """The mean of a free map between grids and of a convolution, `y = (FC(x) + CONV(x)) / 2`, with a prior on each.

    A residual pathway for translations. Weights of either path have prior variances `v` times those that keep the
    variance of an input, so that `objectives.WithPrior` has two weight decays; they are fixed. At a stride the
    convolution samples each image where its output is largest, the free map where it always does.

    References: Finzi, Benton, Wilson (2021), arXiv 2112.01388; van der Ouderaa, Immer, van der Wilk (2023), arXiv
    2310.06131.

    Args:
        free: `DenseMap`, `FactoredMap` or `SparsifiedMap`.
        conv: `ConvMap` or `SparsifiedConv` between the same grids.
        free_variance, conv_variance: `v` of each path, positive.

    Raises:
        ValueError: for paths between different grids, or a variance that is not positive.

    Example:
        >>> layer = ls.relax.GridPathway(ls.relax.DenseMap(3, 4, 8), ls.relax.ConvMap(3, 4, 8))
        >>> layer(torch.rand(2, 3, 8, 8)).shape
        torch.Size([2, 4, 8, 8])
    """

    answers_for = ("free", "conv")

    def __init__(
        self, free: FreePath, conv: ExactPath, *, free_variance: float = 0.1, conv_variance: float = 1.0
    ) -> None:
        super().__init__()
        for name in ("in_channels", "out_channels", "size", "stride"):
            if getattr(free, name) != getattr(conv, name):
                raise ValueError(
                    f"conv: {name} is {getattr(conv, name)}, must be {getattr(free, name)} as that of the free path"
                )
        self.free, self.conv = free, conv
        self.size, self.stride = free.size, free.stride
        self.free_variance = checked_variance("free_variance", free_variance)
        self.conv_variance = checked_variance("conv_variance", conv_variance)
        self.reset_parameters()

    def reset_parameters(self, gain: float = 1.0) -> None:
        """Weights anew, so that the mean of both paths has the variance of the input times `gain²`."""
        for path in (self.free, self.conv):
            path.reset_parameters(2**0.5 * gain)

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B d H_out W_out"]:
        """The images of the output."""
        return (self.free(x) + self.conv(x)) / 2

    def matrix(self) -> Float[Tensor, "d c Y X"]:
        """The mean of both dense arrays, the convolution sampled at the first of every `stride` pixels."""
        return (self.free.matrix() + self.conv.matrix()) / 2

    def constant(self) -> Float[Tensor, "d Y"]:
        """The bias of each output pixel."""
        return (self.free.constant() + self.conv.constant()) / 2

    def energy(self) -> Float[Tensor, ""]:
        """The negative log density of the weights of both paths at variances 1."""
        return self.free.energy() + self.conv.energy()

    def penalty(self) -> Float[Tensor, ""]:
        """The negative log prior of the weights of both paths, in nats, up to a constant."""
        return self.free.energy() / self.free_variance + self.conv.energy() / self.conv_variance

    def plain(self) -> nn.Module:
        """Both paths as plain modules of torch, and their mean as a traced program."""
        return plain_mean([self.free.plain(), self.conv.plain()])

    def exact(self) -> nn.Module:
        """The mean of the free map projected onto convolutions, exact for translations by the stride, and of CONV."""
        return plain_mean([self.free.exact(), self.conv.plain()])

    def distance(self) -> Float[Tensor, ""]:
        """What the mean over translations removes of the dense array: `|Θ - P Θ| / |Θ|`."""
        return translation_distance(self)

    def degrees(self, site: str) -> list[Degree]:
        """The share of the squared norm that commutes with translations by the stride: `|P Θ|² / |Θ|²`."""
        return translation_degrees(site, self, "grid pathway")

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)

    def extra_repr(self) -> str:
        """Prior variances."""
        return f"free_variance={self.free_variance:g}, conv_variance={self.conv_variance:g}"


def plain_mean(paths: Sequence[nn.Module]) -> nn.Module:
    """The mean of the outputs of modules, as a program that holds nothing but them and operations of torch."""
    root = nn.ModuleDict({str(index): path for index, path in enumerate(paths)})
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    outputs = [graph.call_module(name, (x,)) for name in root]
    total = outputs[0]
    for output in outputs[1:]:
        total = graph.call_function(torch.add, (total, output))
    graph.output(graph.call_function(torch.div, (total, len(outputs))))
    return torch.fx.GraphModule(root, graph, "Mean")
