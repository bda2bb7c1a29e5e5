"""Neural processes of public implementations at the sizes of ours, those that can be imported.

`tnp` (github.com/cambridge-mlg/tnp) and `tetnp` (github.com/cambridge-mlg/tetnp) are no packages of a registry: lay
them on the path of imports, with `check_shapes` and `einops`. `neuralprocesses` (github.com/wesselb/neuralprocesses) is
one. None of them is needed by the library.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

Parts = tuple[Tensor, Tensor, Tensor, Tensor]
"""Locations and values of the context, then of the targets, each `(B, P, 1)`."""
Process = tuple[nn.Module, Callable[[Parts], Tensor]]
"""A network and its negative log-likelihood."""


def importable(*names: str) -> bool:
    """Whether all of these packages are there."""
    return all(importlib.util.find_spec(name) for name in names)


def conv_cnp(width: int, depth: int, kernel: int, points: int, reach: float) -> Process:
    """The ConvCNP of `tnp`, with perceptrons of one hidden layer before and after, as ours."""
    tnp, setconv, cnn, mlp = map(_tnp, ("models.convcnp", "networks.setconv", "networks.cnn", "networks.mlp"))
    encoder = tnp.ConvCNPEncoder(
        conv_net=cnn.CNN(1, width, depth, kernel_size=kernel),
        grid_encoder=setconv.SetConvGridEncoder(dims=1, grid_range=[[-reach, reach]], grid_shape=[points]),
        grid_decoder=setconv.SetConvGridDecoder(dims=1),
        z_encoder=mlp.MLP(2, width, num_layers=1, width=width),
    )
    return _process(tnp.ConvCNP(encoder, *_end(width)))


def translation_tnp(width: int, depth: int, heads: int, hidden: int) -> Process:
    """The translation-equivariant TNP of `tetnp`, scores by a perceptron with one hidden layer of a width.

    Published are two of 128, by far the largest part of its cost.
    """
    models, attention, transformer = (
        importlib.import_module(f"tetnp.{name}")
        for name in ("models.tetnp", "networks.teattention_layers", "networks.tetransformer")
    )
    mlp = _tnp("networks.mlp").MLP
    layer = attention.MultiHeadCrossTEAttentionLayer(
        embed_dim=width,
        num_heads=heads,
        head_dim=width // heads,
        feedforward_dim=width,
        norm_first=True,
        kernel=mlp(heads + 1, heads, num_layers=1, width=hidden),
    )
    encoder = models.TETNPEncoder(
        transformer.TETNPTransformerEncoder(depth, layer), mlp(2, width, num_layers=1, width=width)
    )
    return _process(models.TETNP(encoder, *_end(width)))


def conv_gnp(width: int, depth: int, kernel: int, per_unit: int) -> Process:
    """The ConvCNP of `neuralprocesses`, whose convolutions at both ends have two channels on one side."""
    nps = importlib.import_module("neuralprocesses.torch")
    layers = depth + 2
    net = nps.construct_convgnp(
        points_per_unit=per_unit,
        likelihood="het",
        conv_arch="conv",
        conv_receptive_field=(1 + layers * (kernel - 1)) / per_unit,
        conv_layers=layers,
        conv_channels=width,
    )
    return net, lambda parts: -nps.loglik(net, *(part.mT for part in parts), normalise=True).mean()


def _tnp(name: str) -> Any:
    return importlib.import_module(f"tnp.{name}")


def _end(width: int) -> tuple[nn.Module, nn.Module]:
    """A perceptron, and a mean and a variance."""
    decoder = _tnp("models.tnp").TNPDecoder(_tnp("networks.mlp").MLP(width, 2, num_layers=1, width=width))
    return decoder, _tnp("likelihoods.gaussian").HeteroscedasticNormalLikelihood(min_noise=0.01)


def _process(net: nn.Module) -> Process:
    def loss(parts: Parts) -> Tensor:
        context_x, context_y, target_x, target_y = parts
        return -net(xc=context_x, yc=context_y, xt=target_x).log_prob(target_y).mean()

    return net, loss
