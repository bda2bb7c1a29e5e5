"""Convolutional autoencoders with ordinary strides: the plain and the group convolutional twin of `GroupAutoencoder`.

Legend of axes: `B` batch, `C` colours, `N` pixels along an axis, `Z` size of the code.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import ExtendedConv2d, FieldType, GroupConv2d, RestrictedConv2d
from learnsym.groups import Group
from learnsym.nets.blocks import at_least_one

SLOPE = 0.1
SMALLEST_MAP = 2
"""Pixels along an axis of the last feature map."""


class ConvAutoencoder(nn.Module):
    """Strided convolutions down to 2 x 2 pixels, a linear code, and the same way back.

    For 64 pixels it has the 361,923 parameters of the plain twin of Xu, Kim, Rainforth, Teh (2021), arXiv 2106.05886.

    Args:
        size: `N`, a power of two from 16.
        channels: `C`.
        width: channels of the first two layers; later ones have twice as many.
        code: `Z`.

    Raises:
        ValueError: for a size that is no power of two, or sizes below 1.

    Example:
        >>> ls.nets.parameter_count(ls.nets.ConvAutoencoder(64))
        361923
    """

    def __init__(self, size: int, channels: int = 3, width: int = 32, code: int = 32) -> None:
        super().__init__()
        at_least_one(channels=channels, width=width, code=code)
        widths = feature_widths(size, width)
        kernels = [3] * (len(widths) - 1) + [5]
        flat = widths[-1] * SMALLEST_MAP**2
        down: list[nn.Module] = []
        for i, o, k in zip([channels, *widths], widths, kernels, strict=False):
            down += [nn.Conv2d(i, o, k, 2, k // 2), activation()]
        up: list[nn.Module] = []
        for i, o, k in zip(widths[::-1], [*widths[-2::-1], width], kernels[::-1], strict=True):
            up += [nn.ConvTranspose2d(i, o, k, 2, k // 2, output_padding=1), activation()]
        self.encode = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, code))
        start = nn.Sequential(nn.Linear(code, flat), nn.Unflatten(1, (widths[-1], SMALLEST_MAP, SMALLEST_MAP)))
        self.decode = nn.Sequential(start, activation(), *up, nn.Conv2d(width, channels, 3, padding=1))
        he_weights(self, self.decode[-1])

    def forward(self, x: Float[Tensor, "B C N N"]) -> Float[Tensor, "B C N N"]:
        """The reconstruction."""
        return self.decode(self.encode(x))


class GConvAutoencoder(nn.Module):
    """`ConvAutoencoder` with group convolutions at ordinary strides: weights are shared, exactness is lost.

    Args:
        group: C_1, C_2, C_4, D_1, D_2 or D_4.
        size: `N`, a power of two from 16.
        channels: `C`.
        width: regular fields of the first two layers; later ones have twice as many.
        code: `Z`.

    Example:
        >>> net = ls.nets.GConvAutoencoder(ls.groups.Cyclic(4), 16, width=4)
        >>> net(torch.rand(2, 3, 16, 16)).shape
        torch.Size([2, 3, 16, 16])
    """

    def __init__(self, group: Group, size: int, channels: int = 3, width: int = 16, code: int = 32) -> None:
        super().__init__()
        at_least_one(channels=channels, width=width, code=code)
        image = FieldType.trivial(group, channels)
        fields = [FieldType.regular(group, w) for w in feature_widths(size, width)]
        kernels = [3] * (len(fields) - 1) + [5]
        flat = fields[-1].size * SMALLEST_MAP**2
        down: list[nn.Module] = []
        for i, o, k in zip([image, *fields], fields, kernels, strict=False):
            down += [RestrictedConv2d(i, o, k, 2), activation()]
        up: list[nn.Module] = []
        for i, o, k in zip(fields[::-1], [*fields[-2::-1], fields[0]], kernels[::-1], strict=True):
            up += [ExtendedConv2d(i, o, k, 2), activation()]
        self.encode = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, code))
        start = nn.Sequential(nn.Linear(code, flat), nn.Unflatten(1, (fields[-1].size, SMALLEST_MAP, SMALLEST_MAP)))
        self.decode = nn.Sequential(start, activation(), *up, RestrictedConv2d(fields[0], image, 3, 1))
        he_weights(self, self.decode[-1])

    def forward(self, x: Float[Tensor, "B C N N"]) -> Float[Tensor, "B C N N"]:
        """The reconstruction."""
        return self.decode(self.encode(x))


def activation() -> nn.Module:
    """A ReLU with a slope on the left, as narrow decoders die with none."""
    return nn.LeakyReLU(SLOPE, inplace=True)


def feature_widths(size: int, width: int) -> list[int]:
    """Channels of each layer, one layer for each halving of the size down to 2 pixels.

    Raises:
        ValueError: for a size that is no power of two, or below 16.
    """
    if size < 16 or size & (size - 1):
        raise ValueError(f"size: got {size}, must be a power of two from 16; pad or resize the images to 32 or 64")
    layers = (size // SMALLEST_MAP).bit_length() - 1
    return [width] * 2 + [2 * width] * (layers - 2)


@torch.no_grad()
def he_weights(network: nn.Module, last: nn.Module) -> None:
    """Normal weights that keep the variance through ReLUs, zero biases, for every kind of layer alike.

    Those of the last layer are a fifth of that: first images that are too bright teach the network to draw none.
    """
    for layer in network.modules():
        if isinstance(layer, GroupConv2d):
            for weight in layer.weights.values():
                weight *= 2**0.5
        elif isinstance(layer, nn.ConvTranspose2d):
            # of the k² taps of a kernel 1 / s² read a pixel
            taps = layer.weight[0, 0].numel() / (layer.stride[0] * layer.stride[1])
            nn.init.normal_(layer.weight, std=(2 / (layer.in_channels * taps)) ** 0.5)
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if isinstance(layer, nn.ConvTranspose2d | nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
    for parameter in last.parameters():
        parameter *= 0.2
