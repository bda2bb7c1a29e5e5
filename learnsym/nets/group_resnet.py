"""Residual networks of group convolutions."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import CosetPool, FieldBatchNorm, FieldType, GroupConv2d
from learnsym.groups import Cyclic, Group
from learnsym.nets.blocks import at_least_one


class GroupBlock(nn.Module):
    """Two 3x3 group convolutions, each after batch normalisation and ReLU, beside the identity.

    Where the stride is not 1 or the type changes, a 1x1 convolution of the same stride and batch normalisation take the
    place of the identity.
    """

    def __init__(self, in_type: FieldType, out_type: FieldType, stride: int = 1) -> None:
        super().__init__()
        self.in_type, self.out_type = in_type, out_type
        self.residual = nn.Sequential(
            FieldBatchNorm(in_type),
            nn.ReLU(),
            GroupConv2d(in_type, out_type, 3, stride=stride, padding=1, bias=False),
            FieldBatchNorm(out_type),
            nn.ReLU(),
            GroupConv2d(out_type, out_type, 3, padding=1, bias=False),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or in_type != out_type:
            projection = GroupConv2d(in_type, out_type, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(projection, FieldBatchNorm(out_type))

    def forward(self, x: Tensor) -> Tensor:
        return self.residual(x) + self.shortcut(x)


class GroupResNet(nn.Module):
    """Stages of residual blocks of regular fields, their number doubled and the image halved from stage to stage.

    Then the largest over the group, means over pixels and a linear layer: invariant under the group for images of
    `1 + m 2^(stages - 1)` pixels, such as 33, and able to learn not to be for others, such as 32. `C_1` gives the
    ordinary network.

    Args:
        in_channels: channels of the images.
        classes: number of outputs.
        group: C_1, C_2, C_4, D_1, D_2 or D_4; C_4 when None.
        width: regular fields of the first stage.
        blocks: residual blocks of each stage.

    Raises:
        ValueError: when an argument is out of range, or for a group that does not map pixels to pixels.

    Reference: He, Zhang, Ren, Sun (2016), arXiv 1603.05027; Cohen, Welling (2016), arXiv 1602.07576.

    Example:
        >>> ls.nets.GroupResNet(3, 10, width=2, blocks=(1, 1))(torch.rand(2, 3, 17, 17)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        group: Group | None = None,
        width: int = 16,
        blocks: tuple[int, ...] = (7, 7, 7),
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width, blocks=min(blocks, default=0))
        group = Cyclic(4) if group is None else group
        fields = FieldType.regular(group, width)
        layers: list[nn.Module] = [GroupConv2d(FieldType.trivial(group, in_channels), fields, 3, padding=1, bias=False)]
        for stage, count in enumerate(blocks):
            for index in range(count):
                wider = FieldType.regular(group, width * 2**stage)
                layers.append(GroupBlock(fields, wider, stride=2 if stage and not index else 1))
                fields = wider
        self.features = nn.Sequential(*layers, FieldBatchNorm(fields), nn.ReLU())
        self.pool = nn.Sequential(CosetPool(fields), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(fields.fields, classes)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        return self.head(self.pool(self.features(x)))


def group_resnet18(in_channels: int, classes: int, group: Group | None = None, width: int | None = None) -> GroupResNet:
    """ResNet-18 for small images, four stages of two blocks; exact for 33, 41, ... pixels.

    By default with about as many parameters for every group: 64 fields without symmetry, 32 for C_4, 23 for D_4.

    Example:
        >>> net = ls.nets.group_resnet18(3, 10)
        >>> sum(weight.numel() for weight in net.parameters())
        11165738
    """
    return GroupResNet(in_channels, classes, group, _matched(64, group) if width is None else width, (2, 2, 2, 2))


def group_resnet44(in_channels: int, classes: int, group: Group | None = None, width: int | None = None) -> GroupResNet:
    """ResNet-44, three stages of seven blocks; exact for 33, 37, ... pixels.

    By default with about as many parameters for every group: 32 fields without symmetry, 16 for C_4, 12 for D_4.

    Example:
        >>> net = ls.nets.group_resnet44(3, 10, ls.groups.Dihedral(4), width=1)
        >>> ls.measure.exact_sizes(net, [32, 33]).exact
        (33,)
    """
    return GroupResNet(in_channels, classes, group, _matched(32, group) if width is None else width, (7, 7, 7))


def _matched(width: int, group: Group | None) -> int:
    """Fields of a group convolution with about the parameters of `width` ordinary channels."""
    return math.ceil(width / math.sqrt(4 if group is None else len(group.components)))
