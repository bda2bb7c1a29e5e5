"""Networks in which each layer may be a convolution, a free map between grids, or both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one
from learnsym.relax import ConvMap, DenseMap, FactoredMap, GridPathway, SparsifiedConv, SparsifiedMap

WIDTHS = (1, 2, 2, 4, 4, 8, 8, 16)
STRIDES = (1, 2, 1, 2, 1, 2, 2, 2)
SMALLEST = 32
"""The product of all strides."""


def _pathway(free: Callable[..., Any], conv: Callable[..., Any]) -> Callable[..., nn.Module]:
    return lambda *sizes, stride: GridPathway(free(*sizes, stride=stride), conv(*sizes, stride=stride))


def _half(*sizes: Any, stride: int) -> SparsifiedConv:  # noqa: ANN401  sizes of a layer
    return SparsifiedConv(*sizes, stride=stride, share=0.5)


LAYERWISE: dict[str, Callable[..., nn.Module]] = {
    "fc": DenseMap,
    "conv": ConvMap,
    "fc+conv": _pathway(DenseMap, ConvMap),
    "f-fc": FactoredMap,
    "f-fc+conv": _pathway(FactoredMap, ConvMap),
    "s-fc": SparsifiedMap,
    "s-conv": SparsifiedConv,
    "s-fc+s-conv": _pathway(SparsifiedMap, _half),
}
"""Layers by the names of the paper: FC dense, F- factored, S- sparsified (the dense one after factoring)."""


class LayerwiseNet(nn.Module):
    """Eight maps between grids of 32, 16, 8, 4, 2 and 1 pixels with ReLU, then two linear layers.

    Widths are `width` times 1, 2, 2, 4, 4, 8, 8, 16, strides 1, 2, 1, 2, 1, 2, 2, 2; periodic, no normalisation. With
    `conv` or `s-conv` the network is invariant to all translations.

    Reference: van der Ouderaa, Immer, van der Wilk, "Learning layer-wise equivariances automatically using gradients"
    (2023), arXiv 2310.06131; the convolution samples by example, not by batch.

    Args:
        layer: a name in `nets.LAYERWISE`.
        in_channels: channels of the images.
        classes: number of outputs.
        width: channels of the first layer (10 in the paper).
        size: height and width of the images, a multiple of 32; with more than 32 the last images are averaged.

    Raises:
        ValueError: when an argument is out of range.

    Example:
        >>> net = ls.nets.LayerwiseNet("f-fc+conv", 1, 10, width=2, size=32)
        >>> net(torch.rand(2, 1, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, layer: str, in_channels: int, classes: int, width: int = 10, size: int = 32) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width)
        if layer not in LAYERWISE:
            raise ValueError(f"layer: got {layer!r}, must be one of {', '.join(LAYERWISE)}")
        if size < 1 or size % SMALLEST:
            raise ValueError(f"size: got {size}, must be a multiple of {SMALLEST} pixels; pad the images")
        maps, channels = [], in_channels
        for factor, stride in zip(WIDTHS, STRIDES, strict=True):
            maps += [LAYERWISE[layer](channels, width * factor, size, stride=stride), nn.ReLU()]
            channels, size = width * factor, size // stride
        self.maps = nn.Sequential(*maps)
        self.head = nn.Sequential(nn.Linear(channels, 64 * width), nn.ReLU(), nn.Linear(64 * width, classes))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights of the maps anew, with the variance that keeps the one of the input through ReLU."""
        for index in range(0, len(self.maps), 2):
            mapping: Any = self.maps[index]
            mapping.reset_parameters(2**0.5)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        return self.head(self.maps(x).mean((2, 3)))
