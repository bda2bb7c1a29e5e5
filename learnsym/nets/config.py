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

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class NetConfig:
    """Which network, and how large."""

    name: Literal["cnn", "mlp", "mario", "cifar", "segmentation"] = "cnn"
    """Small convolutional classifier; perceptron; Mario-Iggy network; nine convolutions for CIFAR-10; small U-Net."""
    width: int = 32
    """Channels of the first layer, or units of a hidden layer of the perceptron."""
    depth: int = 3
    """Blocks of cnn, hidden layers of mlp, poolings of segmentation; mario and cifar have a depth of their own."""
    norm: Literal["group", "batch", "none"] = "group"
    """Normalisation; group does not depend on the other examples of a batch."""
    dropout: float = 0.3
    """Cifar only: probability of dropping a channel."""

    def __post_init__(self) -> None:
        if self.name not in builders:
            raise ValueError(f"name: got {self.name!r}, must be one of {', '.join(builders)}")
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
    if config.name != "mlp" and len(in_shape) != 3:
        raise ValueError(
            f"in_shape: got {tuple(in_shape)}, {config.name} needs images (C, H, W); use mlp for other data"
        )
    return builders[config.name](config, tuple(in_shape), classes)


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
