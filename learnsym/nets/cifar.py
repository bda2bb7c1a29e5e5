"""The thirteen-layer kind of convolutional network for CIFAR-10: nine convolutions, no residual connections."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one, conv_block


class CIFARNet(nn.Module):
    """Nine convolutions in three stages, with pooling and dropout between them, a global average, a linear layer.

    Stages of `k, k, k`, then `2k, 2k, 2k`, then `4k, 2k, k` channels, the last at a quarter of the size; in the manner
    of Laine and Aila (2017), arXiv 1610.02242, and as Benton et al. (2020), arXiv 2010.11882, use it with `k = 128`.

    Args:
        in_channels: channels of the images.
        classes: number of outputs.
        width: `k`.
        dropout: probability of dropping a channel after the first two stages.
        norm: "group", "batch" or "none".

    Raises:
        ValueError: when an argument is out of range.

    Example:
        >>> ls.nets.CIFARNet(3, 10, width=8)(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self, in_channels: int, classes: int, width: int = 128, dropout: float = 0.3, norm: str = "batch"
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width)
        stages = ((1, 1, 1), (2, 2, 2), (4, 2, 1))
        layers: list[nn.Module] = []
        channels = in_channels
        for stage in stages:
            for factor in stage:
                layers.append(conv_block(channels, factor * width, norm))
                channels = factor * width
            if stage is not stages[-1]:
                layers += [nn.MaxPool2d(2), nn.Dropout2d(dropout)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        return self.head(self.features(x).mean((-2, -1)))
