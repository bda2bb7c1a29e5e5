"""A small convolutional classifier for images of 8 to 64 pixels."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one, conv_block

SMALLEST = 4


class CNN(nn.Module):
    """Convolutions with pooling down to at least 4 pixels, then a linear layer on all of their outputs.

    Block `k` of `depth` has `width * 2^k` channels (at most `8 * width`): 3x3 convolution, normalisation, ReLU, and
    2x2 pooling while the image stays at least 4 pixels. Images of another size are averaged down to the grid
    that the linear layer expects.

    Args:
        in_channels: channels of the images.
        classes: number of outputs (1 for a regression).
        width: channels of the first block.
        size: height and width of the images, 8 to 64 pixels; sets where to pool.
        depth: number of blocks.
        norm: "group" (does not depend on the batch), "batch" or "none".

    Raises:
        ValueError: when an argument is out of range.

    Example:
        >>> ls.nets.CNN(1, 10, width=8, size=28)(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self, in_channels: int, classes: int, width: int = 32, size: int = 28, depth: int = 3, norm: str = "group"
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width, depth=depth)
        if not 8 <= size <= 64:
            raise ValueError(f"size: got {size}, must be from 8 to 64 pixels; resize the images or use another net")
        pools = int(math.log2(size / SMALLEST))
        layers, channels = [], in_channels
        for k in range(depth):
            out = width * 2 ** min(k, 3)
            layers.append(conv_block(channels, out, norm))
            layers.append(nn.MaxPool2d(2) if k < pools else nn.Identity())
            channels = out
        self.features = nn.Sequential(*layers)
        side = size >> min(pools, depth)
        self.grid = nn.AdaptiveAvgPool2d(side)
        self.head = nn.Linear(channels * side**2, classes)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        h = self.features(x)
        # pooling to the size that is there changes nothing, and takes a sixth of a training step
        h = h if h.shape[2] == h.shape[3] == self.grid.output_size else self.grid(h)
        return self.head(h.flatten(1))
