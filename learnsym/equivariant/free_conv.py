"""Ordinary convolution between fields: bound to no symmetry but shifts."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.steerable.conv import CONVOLUTIONS, check_pair


class FreeConv(nn.Module):
    """`nn.Conv2d` or `nn.Conv3d` with the interface of `SteerableConv`: what a network is without its symmetry.

    Args:
        in_type, out_type: fields, of which only the numbers of channels matter.
        kernel_size, stride, padding, dilation, bias, padding_mode: as in `nn.Conv2d`.

    Raises:
        ValueError: for types of different groups.

    Example:
        >>> fields = ls.equivariant.FieldType.trivial(ls.groups.SO2(), 2)
        >>> ls.equivariant.FreeConv(fields, fields, 3).conv
        Conv2d(2, 2, kernel_size=(3, 3), stride=(1, 1))
    """

    def __init__(
        self,
        in_type: FieldType,
        out_type: FieldType,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        check_pair(in_type, out_type, kernel_size)
        self.in_type, self.out_type = in_type, out_type
        self.conv = CONVOLUTIONS[in_type.group.space][1](
            in_type.size,
            out_type.size,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            bias=bias,
            padding_mode=padding_mode,
        )

    def forward(self, x: Tensor) -> Tensor:
        """The convolution, `(B, c_out, *T)` from `(B, c_in, *S)`."""
        check_channels(self.in_type, x)
        return self.conv(x)

    def plain(self) -> nn.Module:
        """The convolution of torch itself."""
        return copy.deepcopy(self.conv)

    def extra_repr(self) -> str:
        """Types."""
        return f"{self.in_type} -> {self.out_type}"
