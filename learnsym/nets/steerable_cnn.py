"""A steerable convolutional classifier of images."""

from __future__ import annotations

from torch import Tensor, nn

from learnsym.equivariant import (
    AveragePool,
    BallMask,
    FieldType,
    GlobalAveragePool,
    InvariantPool,
    Sequential,
    SteerableConv,
)
from learnsym.equivariant.twins import plain_twin
from learnsym.groups import Group
from learnsym.nets.blocks import at_least_one
from learnsym.nets.steerable_blocks import Conv, conv_block, hidden_type

SUBSAMPLING = 8
WIDTHS = (1, 2, 4, 6, 6)
KERNELS = (7, 5, 3, 3, 3)


class SteerableCNN(nn.Module):
    """Six steerable convolutions, invariants, and a head; exactly invariant under lattice rotations of the group.

    Images are resized to `size` pixels and cut to a disc. Convolutions of 7, 5, 3, 3, 3 pixels with `width` times
    1, 2, 4, 6, 6 fields, each with batch normalisation and a nonlinearity (ELU on regular fields of a finite group,
    gates on the irreducible ones of a Lie group), an antialiased pool after the second, strides of 2 at the third and
    the fourth; invariants of the fields (largest component or norm), a convolution of one pixel, the mean over the
    image, normalisation, ELU, a linear layer.

    Args:
        group: C_N, D_N, SO(2) or O(2).
        in_channels: channels of the images.
        classes: number of outputs.
        width: regular fields, or fields of each irreducible representation, of the first convolution.
        band_limit: highest frequency of the fields; for a Lie group.
        size: pixels of the resized images, 1 more than a multiple of 8, so that strides are exact.
        invariants: number of scalars before the head.
        conv: builds each convolution, `conv(in_type, out_type, kernel_size, stride=, padding=, bias=)`.

    Raises:
        ValueError: when an argument is out of range.

    Reference: the network for pairs of digits of Veefkind, Cesa (2024), arXiv 2406.03946; Weiler, Cesa (2019), arXiv
    1911.08251.

    Example:
        >>> net = ls.nets.SteerableCNN(ls.groups.SO2(), 1, 10, width=2, band_limit=1, size=33)
        >>> net(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        group: Group,
        in_channels: int,
        classes: int,
        width: int = 6,
        band_limit: int | None = None,
        size: int = 57,
        invariants: int = 48,
        conv: Conv = SteerableConv,
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width, invariants=invariants)
        _check_size(size)
        image, scalars = FieldType.trivial(group, in_channels), FieldType.trivial(group, invariants)
        fields = [image, *[hidden_type(group, width * times, band_limit) for times in WIDTHS]]
        pool = InvariantPool(fields[-1])
        self.body = Sequential(
            nn.Upsample((size, size), mode="bilinear"),
            BallMask(image, size),
            *_blocks(conv, fields),
            pool,
            conv(pool.out_type, scalars, 1, bias=False),
            GlobalAveragePool(scalars),
        )
        self.head = nn.Sequential(nn.BatchNorm1d(invariants), nn.ELU(), nn.Linear(invariants, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs, `(B, K)` from images `(B, C, H, W)`."""
        return self.head(self.body(x))

    def plain(self) -> nn.Module:
        """The same function of plain convolutions."""
        return nn.Sequential(self.body.plain(), plain_twin(self.head))


def _blocks(conv: Conv, fields: list[FieldType]) -> list[nn.Module]:
    blocks: list[nn.Module] = []
    for index, (kernel_size, source, target) in enumerate(zip(KERNELS, fields[:-1], fields[1:], strict=True)):
        blocks.append(conv_block(conv, source, target, kernel_size, stride=2 if index in (2, 3) else 1))
        blocks += [AveragePool(target)] if index == 1 else []
    return blocks


def _check_size(size: int) -> None:
    if size < 2 * SUBSAMPLING or size % SUBSAMPLING != 1:
        exact = max(2, round(size / SUBSAMPLING)) * SUBSAMPLING + 1
        raise ValueError(f"size: got {size}, must be 1 more than a multiple of {SUBSAMPLING}; take {exact}")
