"""Integration kernels as layers of plain torch."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from learnsym.equivariant.steerable.conv import plain_convolution


def plain_convolutions(
    kernel: Float[Tensor, "o i k k"], padding_mode: str, bias: Float[Tensor, "F"] | None = None, order: int = 1
) -> nn.Module:
    """A convolution that keeps the size, with a ReLU.

    Args:
        kernel: its weights.
        padding_mode: what lies outside.
        bias: a constant for each feature, the same for the `order` channels of it.
        order: channels of a feature.
    """
    constants = None if bias is None else bias.detach().to(kernel).repeat_interleave(order)
    options = {"stride": 1, "padding": kernel.shape[-1] // 2, "dilation": 1}
    return nn.Sequential(plain_convolution(kernel.detach(), constants, padding_mode, options), nn.ReLU())


def plain_monomials(values: nn.Module, powers: Float[Tensor, "o i 1 1"], epsilon: float) -> nn.Module:
    """`exp(powers log(values + ε))`.

    Args:
        values: gives the values at all points, not negative.
        powers: the exponents as a 1x1 convolution.
        epsilon: what is added.
    """
    weights = plain_convolution(powers.detach(), None, "zeros", {"stride": 1, "padding": 0, "dilation": 1})
    graph = fx.Graph()
    x = graph.call_module("values", (graph.placeholder("x"),))
    logs = graph.call_function(torch.log, (graph.call_function(torch.add, (x, epsilon)),))
    graph.output(graph.call_function(torch.exp, (graph.call_module("powers", (logs,)),)))
    return fx.GraphModule({"values": values, "powers": weights}, graph)
