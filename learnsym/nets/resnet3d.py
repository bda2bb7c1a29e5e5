"""A small residual classifier of volumes."""

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
from learnsym.nets.steerable_blocks import Conv, Residual, conv_block, hidden_type


class ResNet3d(nn.Module):
    """Residual blocks of convolutions of volumes, invariants, and a head; exactly invariant under lattice rotations.

    Volumes are resized to `size` voxels and cut to a ball. A convolution, a residual block, an antialiased pool of
    stride 2 with a convolution, another residual block of twice the width, invariants of the fields (norms), a
    convolution of one voxel, the mean over the volume, normalisation, ELU, a linear layer.

    Args:
        group: SO(3), O(3), or a trivial group, then with `conv=FreeConv`.
        in_channels: channels of the volumes.
        classes: number of outputs.
        width: fields of each irreducible representation in the first block.
        band_limit: highest degree of the fields; for SO(3) and O(3).
        size: odd number of voxels of the resized volumes.
        invariants: number of scalars before the head.
        conv: builds each convolution.

    Raises:
        ValueError: when an argument is out of range.

    Reference: Weiler, Geiger, Welling, Boomsma, Cohen, "3D steerable CNNs" (2018), arXiv 1807.02547.

    Example:
        >>> net = ls.nets.ResNet3d(ls.groups.SO3(), 1, 2, width=2, band_limit=1, size=9)
        >>> net(torch.rand(2, 1, 8, 8, 8)).shape
        torch.Size([2, 2])
    """

    def __init__(
        self,
        group: Group,
        in_channels: int,
        classes: int,
        width: int = 4,
        band_limit: int | None = None,
        size: int = 15,
        invariants: int = 24,
        conv: Conv = SteerableConv,
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width, invariants=invariants)
        if size < 3 or size % 2 == 0:
            raise ValueError(f"size: got {size}, must be odd and at least 3; take {max(3, size + 1)}")
        image, scalars = FieldType.trivial(group, in_channels), FieldType.trivial(group, invariants)
        narrow, wide = (hidden_type(group, count, band_limit) for count in (width, 2 * width))
        pool = InvariantPool(wide)
        self.body = Sequential(
            nn.Upsample((size, size, size), mode="trilinear"),
            BallMask(image, size),
            conv_block(conv, image, narrow, 3),
            _residual(conv, narrow),
            AveragePool(narrow),
            conv_block(conv, narrow, wide, 3),
            _residual(conv, wide),
            pool,
            conv(pool.out_type, scalars, 1, bias=False),
            GlobalAveragePool(scalars),
        )
        self.head = nn.Sequential(nn.BatchNorm1d(invariants), nn.ELU(), nn.Linear(invariants, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs, `(B, K)` from volumes `(B, C, D, H, W)`."""
        return self.head(self.body(x))

    def plain(self) -> nn.Module:
        """The same function of plain convolutions."""
        return nn.Sequential(self.body.plain(), plain_twin(self.head))


def _residual(conv: Conv, fields: FieldType) -> Residual:
    return Residual(Sequential(conv_block(conv, fields, fields, 3), conv_block(conv, fields, fields, 3)))
