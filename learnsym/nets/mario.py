"""The simple network of Augerino's Mario-Iggy and Olivetti experiments."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one, conv_block


class MarioCNN(nn.Module):
    """Five convolutions of widths `c, 2c, 4c, 4c, 4c` with three poolings, a global maximum, a linear layer.

    In the manner of the network of Benton et al. (2020), arXiv 2010.11882, for images of 32 pixels and few classes. The
    global maximum keeps small features, which an average over the image would wash out.

    Args:
        in_channels: channels of the images.
        classes: number of outputs (1 for a regression).
        width: `c`.
        norm: "group", "batch" or "none".

    Raises:
        ValueError: when an argument is out of range.

    Example:
        >>> ls.nets.MarioCNN(3, 4, width=8)(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 4])
    """

    def __init__(self, in_channels: int, classes: int, width: int = 32, norm: str = "group") -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width)
        layers: list[nn.Module] = []
        channels = in_channels
        for factor, pool in ((1, False), (2, True), (4, True), (4, True), (4, False)):
            layers.append(conv_block(channels, factor * width, norm))
            if pool:
                layers.append(nn.MaxPool2d(2))
            channels = factor * width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        return self.head(self.features(x).amax((-2, -1)))
