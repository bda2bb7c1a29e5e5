"""The seven-layer group convolutional network for digits."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import CosetPool, FieldBatchNorm, FieldType, GroupConv2d
from learnsym.groups import Cyclic, Group
from learnsym.nets.blocks import at_least_one

DROPPED = (0, 2, 3, 4)
POOLED = 1


class P4CNN(nn.Module):
    """Seven group convolutions, one 2x2 pool, means over pixels, the largest over the group, a linear layer.

    Six 3x3 convolutions of `width` regular fields each and one of 4x4 without padding, each with batch normalisation
    and ReLU, dropout after the first, third, fourth and fifth, max pooling after the second. It is invariant under the
    group for images of an even number of pixels, all covered by the pool, and can learn not to be for an odd number.

    With `C_4`, 3 channels and width 10 it has 24,990 parameters; its twin without symmetry, `C_1` at width 20, has
    25,570.

    Args:
        in_channels: channels of the images.
        classes: number of outputs.
        group: C_1, C_2, C_4, D_1, D_2 or D_4; C_4 when None.
        width: regular fields of each layer.
        dropout: probability of dropping an entry.

    Raises:
        ValueError: when an argument is out of range, or for a group that does not map pixels to pixels.

    Reference: Cohen, Welling (2016), arXiv 1602.07576; Edixhoven, Lengyel, van Gemert (2023), arXiv 2308.11316.

    Example:
        >>> ls.nets.P4CNN(1, 10)(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self, in_channels: int, classes: int, group: Group | None = None, width: int = 10, dropout: float = 0.3
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width)
        group = Cyclic(4) if group is None else group
        fields = FieldType.regular(group, width)
        types = [FieldType.trivial(group, in_channels), *[fields] * 6]
        layers: list[nn.Module] = []
        for index, in_type in enumerate(types):
            size, padding = (3, 1) if index < 6 else (4, 0)
            layers += [GroupConv2d(in_type, fields, size, padding=padding), FieldBatchNorm(fields), nn.ReLU()]
            layers += [nn.Dropout(dropout)] if index in DROPPED else []
            layers += [nn.MaxPool2d(2)] if index == POOLED else []
        self.features = nn.Sequential(*layers)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), CosetPool(fields), nn.Flatten())
        self.head = nn.Linear(width, classes)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        return self.head(self.pool(self.features(x)))
