"""A small classifier of three group convolutions and a mean over the group."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import FieldType, SteerableConv
from learnsym.groups import Group
from learnsym.nets.blocks import at_least_one
from learnsym.relax.partial_group_conv import GroupMean

KERNEL = 5


class GroupCNN(nn.Module):
    """A lifting convolution, two convolutions of regular fields, the mean over the group, and a head of two layers.

    Convolutions of 5 pixels with batch normalisation of fields and ReLU, a 2x2 maximum after the first.

    Reference: the kind of network of Romero, Lohit, "Learning partial equivariances from data" (2022), arXiv
    2110.10211.

    Args:
        group: C_N or D_N.
        in_channels: channels of the images.
        classes: number of outputs.
        fields: regular fields of each convolution.
        relaxed: makes a convolution between regular fields of an exact one; the exact one itself when None.
        mean: makes the mean over the group of the type of the last fields.

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> ls.nets.GroupCNN(ls.groups.Cyclic(4), 1, 10, fields=4)(torch.rand(2, 1, 14, 14)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        group: Group,
        in_channels: int,
        classes: int,
        fields: int = 4,
        relaxed: Callable[[SteerableConv], nn.Module] | None = None,
        mean: Callable[[FieldType], nn.Module] = GroupMean,
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, fields=fields)
        image, regular = FieldType.trivial(group, in_channels), FieldType.regular(group, fields)
        convs = [SteerableConv(source, regular, KERNEL, padding=KERNEL // 2) for source in (image, regular, regular)]
        between: list[nn.Module] = [conv if relaxed is None else relaxed(conv) for conv in convs[1:]]
        self.body = nn.Sequential(
            convs[0],
            _normalised(fields),
            nn.MaxPool2d(2, ceil_mode=True),
            between[0],
            _normalised(fields),
            between[1],
            _normalised(fields),
            mean(regular),
        )
        self.head = nn.Sequential(
            nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(fields, 32), nn.ReLU(), nn.Linear(32, classes)
        )

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """The class logits."""
        return self.head(self.body(x))


def _normalised(fields: int) -> nn.Sequential:
    """Batch normalisation with one mean and variance for each field, and ReLU."""
    return nn.Sequential(nn.Unflatten(1, (fields, -1)), nn.BatchNorm3d(fields), nn.Flatten(1, 2), nn.ReLU())
