"""Wide residual networks of group convolutions on regular fields, with fewer symmetries from stage to stage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from learnsym.equivariant import (
    FieldBatchNorm,
    FieldType,
    GlobalAveragePool,
    InvariantPool,
    Pointwise,
    Restrict,
    Sequential,
    SteerableConv,
)
from learnsym.equivariant.twins import plain_twin
from learnsym.groups import Group
from learnsym.nets.blocks import at_least_one
from learnsym.nets.steerable_blocks import Conv, Residual
from learnsym.representations import turns

STEM = 16
LATTICE = (2, 4)


class SteerableWideResNet(nn.Module):
    """A wide residual network `depth`-`width` whose convolutions commute with a group, another one in each stage.

    Three stages of `(depth - 4) / 6` blocks (normalisation, ReLU, convolution, twice), with strides of 2 before the
    second and the third. A stage of `c` channels in the plain network has `c / sqrt(|G|)` regular fields, and so about
    as many weights. Exact for lattice rotations at 33, 37, ... pixels.

    Args:
        groups: finite, of the three stages, each a subgroup of the one before, such as D_8, D_4, D_1.
        in_channels: channels of the images.
        classes: number of outputs.
        depth: 6 n + 4.
        width: factor of the channels.
        dropout: between the convolutions of a block.
        kernel_sizes: pixels, one size for each stage; when None 3 for groups of quarter turns, and 5 for finer
            rotations, which 3 pixels do not resolve.
        conv: builds each convolution.

    Raises:
        ValueError: for a depth that is not 6 n + 4, not three groups, one that is not finite or is no subgroup.

    Reference: Zagoruyko, Komodakis (2016), arXiv 1605.07146; Weiler, Cesa (2019), arXiv 1911.08251.

    Example:
        >>> groups = [ls.groups.Dihedral(4), ls.groups.Dihedral(4), ls.groups.Dihedral(1)]
        >>> ls.nets.SteerableWideResNet(groups, 3, 10, depth=10, width=1)(torch.rand(2, 3, 17, 17)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        groups: Sequence[Group],
        in_channels: int,
        classes: int,
        depth: int = 28,
        width: int = 7,
        dropout: float = 0.0,
        kernel_sizes: Sequence[int] | None = None,
        conv: Conv = SteerableConv,
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width)
        blocks = _blocks_of_stage(depth, groups, kernel_sizes)
        sizes = [usual_kernel(group) for group in groups] if kernel_sizes is None else list(kernel_sizes)
        image, current = FieldType.trivial(groups[0], in_channels), regular(groups[0], STEM)
        layers: list[Any] = [_same(conv, sizes[0])(image, current)]
        for stage, (group, size) in enumerate(zip(groups, sizes, strict=True)):
            target = regular(group, STEM * width * 2**stage)
            layers.append(_stage(_same(conv, size), current, target, 2 if stage else 1, blocks, dropout))
            current = target
        layers += [*_activated(current), InvariantPool(current)]
        layers.append(GlobalAveragePool(layers[-1].out_type))
        self.body = Sequential(*layers)
        self.head = nn.Linear(self.body.out_type.size, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs, `(B, K)` from images `(B, C, H, W)`."""
        return self.head(self.body(x))

    def plain(self) -> nn.Module:
        """The same function of plain convolutions."""
        return nn.Sequential(self.body.plain(), plain_twin(self.head))


def _blocks_of_stage(depth: int, groups: Sequence[Group], kernel_sizes: Sequence[int] | None) -> int:
    for name, stages in (("groups", groups), ("kernel_sizes", kernel_sizes)):
        if stages is not None and len(stages) != 3:
            raise ValueError(f"{name}: got {len(stages)}, must be three, one for each stage")
    blocks, rest = divmod(depth - 4, 6)
    if rest or blocks < 1:
        raise ValueError(f"depth: got {depth}, must be 6 n + 4, such as 10, 16 or 28")
    return blocks


def _stage(conv: Conv, source: FieldType, target: FieldType, stride: int, blocks: int, dropout: float) -> Sequential:
    restrict = [] if source.group == target.group else [Restrict(source, target.group)]
    start = restrict[0].out_type if restrict else source
    first = wide_block(conv, start, target, stride, dropout)
    return Sequential(*restrict, first, *[wide_block(conv, target, target, 1, dropout) for _ in range(blocks - 1)])


def wide_block(conv: Conv, source: FieldType, target: FieldType, stride: int, dropout: float) -> Residual:
    """Normalisation, ReLU, convolution, twice, and a shortcut, of one pixel where the type or the size changes."""
    drop = [nn.Dropout(dropout)] if dropout else []
    body = Sequential(
        *_activated(source),
        conv(source, target, stride=stride),
        *_activated(target),
        *drop,
        conv(target, target),
    )
    same = source == target and stride == 1
    return Residual(body, None if same else conv(source, target, kernel_size=1, padding=0, stride=stride))


def _same(conv: Conv, size: int) -> Conv:
    """A convolution that keeps the size of the image, without a bias."""
    return partial(conv, kernel_size=size, padding=size // 2, bias=False)


def regular(group: Group, channels: int) -> FieldType:
    """As many regular fields as keep the number of weights of a plain network with so many channels."""
    if group.order is None:
        raise ValueError(f"groups: got {group}, must be finite; take C_N or D_N")
    return FieldType.regular(group, max(1, round(channels / math.sqrt(len(group.components)))))


def usual_kernel(group: Group) -> int:
    """3 pixels where rotations map pixels onto pixels, 5 for finer rotations, which 3 pixels do not resolve."""
    return 3 if (turns(group) or 0) in (1, *LATTICE) else 5


def _activated(fields: FieldType) -> list[nn.Module]:
    return [FieldBatchNorm(fields), Pointwise(fields, nn.ReLU())]
