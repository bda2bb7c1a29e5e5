"""Settings of the network, and networks by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from learnsym.nets.cifar import CIFARNet
from learnsym.nets.cnn import CNN
from learnsym.nets.mario import MarioCNN
from learnsym.nets.mlp import MLP
from learnsym.nets.segmentation import SegmentationCNN
from learnsym.nets.steerable_cnn import SteerableCNN
from learnsym.relax import RelaxConfig, convolution, group_named

Shape = tuple[int, ...]
STEERABLE = "steerable"
"""The network whose layers depend on the twin, see `build_steerable`."""


@dataclass(frozen=True, kw_only=True)
class NetConfig:
    """Which network, and how large."""

    name: Literal["cnn", "mlp", "mario", "cifar", "segmentation", "steerable"] = "cnn"
    """Small convolutional classifier; perceptron; Mario-Iggy network; nine convolutions for CIFAR-10; small U-Net;
    six steerable convolutions, with the layers that `relax` chooses."""
    width: int = 32
    """Channels of the first layer, units of a hidden layer (mlp), or fields of the first layer (steerable)."""
    depth: int = 3
    """Blocks of cnn, hidden layers of mlp, poolings of segmentation; mario and cifar have a depth of their own."""
    norm: Literal["group", "batch", "none"] = "group"
    """Normalisation; group does not depend on the other examples of a batch."""
    dropout: float = 0.3
    """Cifar only: probability of dropping a channel."""

    def __post_init__(self) -> None:
        if self.name not in (*builders, STEERABLE):
            raise ValueError(f"name: got {self.name!r}, must be one of {', '.join([*builders, STEERABLE])}")
        if self.norm not in ("group", "batch", "none"):
            raise ValueError(f"norm: got {self.norm!r}, must be group, batch or none")
        if self.width < 1 or self.depth < 1:
            raise ValueError(f"width, depth: got {self.width}, {self.depth}, must be >= 1; choose positive numbers")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: got {self.dropout}, must be in [0, 1); 0 switches it off")


def build(config: NetConfig, in_shape: Shape, classes: int) -> nn.Module:
    """The network that a configuration describes, for inputs of one shape.

    Args:
        config: which network.
        in_shape: shape of one example: `(C, H, W)` for images.
        classes: number of outputs per example, or per pixel.

    Raises:
        ValueError: when the shape does not fit the network.

    Example:
        >>> type(ls.nets.build(ls.nets.NetConfig(width=8), (1, 28, 28), 10)).__name__
        'CNN'
    """
    if config.name == STEERABLE:
        raise ValueError("name: got 'steerable', whose layers are not chosen; set relax.layer, such as probabilistic")
    if config.name != "mlp":
        _check_images(config, in_shape)
    return builders[config.name](config, tuple(in_shape), classes)


def build_steerable(config: NetConfig, relax: RelaxConfig, twin: str, in_shape: Shape, classes: int) -> nn.Module:
    """The steerable network of one twin: `learned` with relaxed layers, `exact` or `plain`, with equal channels.

    Images are resized to the next size at which its strides are exact.

    Args:
        config: which network; its name must be `steerable`.
        relax: group and layers.
        twin: `learned`, `exact` or `plain`.
        in_shape: shape of one example, `(C, H, W)`.
        classes: number of outputs per example.

    Raises:
        ValueError: for another network or twin, or inputs that are no images.

    Example:
        >>> config = ls.nets.NetConfig(name="steerable", width=2)
        >>> net = ls.nets.build_steerable(config, ls.relax.RelaxConfig(layer="residual"), "learned", (1, 28, 28), 10)
        >>> len(ls.degrees(net))
        6
    """
    if config.name != STEERABLE:
        raise ValueError(f"net.name: got {config.name!r} with relax.layer {relax.layer!r}, must be {STEERABLE!r}")
    _check_images(config, in_shape)
    size = max(2, math.ceil((max(in_shape[1:]) - 1) / 8)) * 8 + 1
    group = group_named(relax.group)
    limit = None if group.order else relax.band_limit
    made = convolution(relax, twin)
    return SteerableCNN(group, in_shape[0], classes, config.width, limit, size, conv=made)


def _check_images(config: NetConfig, in_shape: Shape) -> None:
    if len(in_shape) != 3:
        raise ValueError(
            f"in_shape: got {tuple(in_shape)}, {config.name} needs images (C, H, W); use mlp for other data"
        )


def _cnn(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return CNN(shape[0], classes, width=c.width, size=min(shape[1:]), depth=c.depth, norm=c.norm)


def _mlp(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return MLP(math.prod(shape), classes, width=c.width, depth=c.depth)


def _mario(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return MarioCNN(shape[0], classes, width=c.width, norm=c.norm)


def _cifar(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return CIFARNet(shape[0], classes, width=c.width, dropout=c.dropout, norm=c.norm)


def _segmentation(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return SegmentationCNN(shape[0], classes, width=c.width, depth=c.depth, norm=c.norm)


builders: dict[str, Callable[[NetConfig, Shape, int], nn.Module]] = {
    "cnn": _cnn,
    "mlp": _mlp,
    "mario": _mario,
    "cifar": _cifar,
    "segmentation": _segmentation,
}
