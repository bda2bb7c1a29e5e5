"""A small U-Net for classes of pixels."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one, conv_block


class SegmentationCNN(nn.Module):
    """A U-Net: `depth` poolings down, bilinear interpolation up, skip connections, logits per pixel.

    Any image size; features are interpolated to the size of the skip connection that they join.

    Reference: Ronneberger, Fischer, Brox, "U-Net" (2015), arXiv 1505.04597.

    Args:
        in_channels: channels of the images.
        classes: classes of a pixel.
        width: channels at full size; doubled at each pooling.
        depth: number of poolings.
        norm: "group", "batch" or "none".

    Raises:
        ValueError: when an argument is out of range.

    Example:
        >>> ls.nets.SegmentationCNN(3, 11, width=4)(torch.rand(2, 3, 36, 48)).shape
        torch.Size([2, 11, 36, 48])
    """

    def __init__(self, in_channels: int, classes: int, width: int = 16, depth: int = 3, norm: str = "group") -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width, depth=depth)
        widths = [width * 2**k for k in range(depth + 1)]
        self.down = nn.ModuleList(_double(a, b, norm) for a, b in zip([in_channels, *widths[:-1]], widths, strict=True))
        self.up = nn.ModuleList(_double(a + b, a, norm) for a, b in pairwise(widths))
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K H W"]:
        skips: list[Tensor] = []
        for k, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if k else x)
            skips.append(x)
        for block, skip in zip(reversed(self.up), reversed(skips[:-1]), strict=True):
            x = F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([skip, x], 1))
        return self.head(x)


def _double(in_channels: int, out_channels: int, norm: str) -> nn.Sequential:
    return nn.Sequential(conv_block(in_channels, out_channels, norm), conv_block(out_channels, out_channels, norm))
