"""The largest disc or ball of an image or a volume."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.field_type import FieldType, check_channels


class BallMask(nn.Module):
    """Feature maps times the largest disc or ball that fits, with a soft border: what rotations do not push out.

    Args:
        field_type: fields of input and output.
        size: pixels along an axis.
        border: width in pixels of the border, over which the mask falls from 1 to 0.

    Raises:
        ValueError: for an image of another size.

    Example:
        >>> ls.equivariant.BallMask(ls.equivariant.FieldType.trivial(ls.groups.SO2(), 1), 3)(torch.ones(1, 1, 3, 3))
        tensor([[[[0.0858, 0.5000, 0.0858],
                  [0.5000, 1.0000, 0.5000],
                  [0.0858, 0.5000, 0.0858]]]])
    """

    def __init__(self, field_type: FieldType, size: int, border: float = 1.0) -> None:
        super().__init__()
        self.in_type = self.out_type = field_type
        self.size, self.border = size, border
        t = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
        axes = torch.meshgrid(*[t.square()] * (3 if field_type.group.space == "space" else 2), indexing="ij")
        radius = torch.stack(axes).sum(0).sqrt()
        self.mask = Constant(((size / 2 - radius) / border).clamp(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The masked fields, `(B, c, *S)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        if x.shape[-1] != self.size:
            raise ValueError(f"x: got images of {x.shape[-1]} pixels, must have the {self.size} of the mask")
        return x * self.mask().to(x.dtype)

    def plain(self) -> nn.Module:
        """A copy: a product with a constant."""
        return BallMask(self.in_type, self.size, self.border).to(self.mask.value)

    def extra_repr(self) -> str:
        """Type and size."""
        return f"{self.in_type}, size={self.size}"
