"""Integration kernels as layers of plain torch."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from learnsym.equivariant.steerable.conv import plain_convolution


def plain_convolutions(
    kernel: Float[Tensor, "o i k k"], padding_mode: str, bias: Float[Tensor, "F"], order: int
) -> nn.Module:
    """A convolution that keeps the size, with a ReLU.

    Args:
        kernel: its weights.
        padding_mode: what lies outside.
        bias: a constant for each feature, the same for the `order` channels of it.
        order: channels of a feature.
    """
    return nn.Sequential(_convolution(kernel, bias.repeat_interleave(order), padding_mode), nn.ReLU())


def plain_monomials(
    kernel: Float[Tensor, "o i k k"], bias: Float[Tensor, "o"], padding_mode: str, epsilon: float
) -> nn.Module:
    """`exp(kernel * log(1 + max(x, 0) / ε) + bias)`.

    Args:
        kernel: exponents as a convolution.
        bias: logarithms of constant factors.
        padding_mode: what lies outside.
        epsilon: what is added to values.
    """
    graph = fx.Graph()
    positive = graph.call_function(torch.relu, (graph.placeholder("x"),))
    logs = graph.call_function(torch.log1p, (graph.call_function(torch.div, (positive, epsilon)),))
    graph.output(graph.call_function(torch.exp, (graph.call_module("powers", (logs,)),)))
    return fx.GraphModule({"powers": _convolution(kernel, bias, padding_mode)}, graph)


def _convolution(kernel: Tensor, bias: Tensor, padding_mode: str) -> nn.Module:
    options = {"stride": 1, "padding": kernel.shape[-1] // 2, "dilation": 1}
    return plain_convolution(kernel.detach(), bias.detach().to(kernel), padding_mode, options)
