"""The layers of a world model, by how much symmetry its parts are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor, nn

from learnsym.equivariant import EquivariantLinear, FieldType, FreeConv, GroupConv2d
from learnsym.equivariant.field_type import check_channels
from learnsym.nets.steerable_blocks import Conv

Linear = Callable[[FieldType, FieldType], nn.Module]
"""A linear map between vectors of two field types."""


class FreeLinear(nn.Linear):
    """`nn.Linear` with the interface of `EquivariantLinear`: bound to no symmetry, with initial weights as large.

    Args:
        in_type, out_type: fields, of which only the numbers of channels matter.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> ls.nets.world.FreeLinear(fields, fields)(torch.rand(3, 8)).shape
        torch.Size([3, 8])
    """

    def __init__(self, in_type: FieldType, out_type: FieldType) -> None:
        super().__init__(in_type.size, out_type.size)
        self.in_type, self.out_type = in_type, out_type
        like_exact(self)

    def forward(self, input: Tensor) -> Tensor:
        """The linear map."""
        check_channels(self.in_type, input)
        return super().forward(input)


def free_conv(in_type: FieldType, out_type: FieldType, kernel_size: int, **options: Any) -> FreeConv:  # noqa: ANN401
    """An ordinary convolution with initial weights as large as those of `GroupConv2d`."""
    layer = FreeConv(in_type, out_type, kernel_size, **options)
    like_exact(layer.conv)
    return layer


def like_exact(layer: nn.Module) -> None:
    """Weights of variance `1 / fan_in` and no bias, as exact layers start: twins differ by their symmetry alone."""
    weight: Any = layer.weight
    bias: Any = layer.bias
    nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    nn.init.zeros_(bias)


class Layers(NamedTuple):
    """What builds the layers of a world model: convolutions of pictures, maps to latents, maps of transitions."""

    pictures: Conv
    embedding: Linear
    transition: Linear


ARMS: dict[str, Layers] = {
    "none": Layers(free_conv, FreeLinear, FreeLinear),
    "full": Layers(GroupConv2d, EquivariantLinear, EquivariantLinear),
    "ours": Layers(free_conv, EquivariantLinear, EquivariantLinear),
}
"""No symmetry; that of pixels, too, which may be wrong; and symmetric embeddings, whose pictures are read freely."""
