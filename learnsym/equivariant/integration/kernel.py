"""What an invariant integration integrates: a function of the values of all fields at some points."""

from __future__ import annotations

import abc

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.integration.points import Points


class IntegrationKernel(nn.Module, abc.ABC):
    """A function `f` of the values of `m` fields at `P` points, applied to each element of the group and each pixel.

    Legend of axes: `B` batch, `m` fields, `P` points, `F` outputs, `*R` elements of the group and pixels.
    """

    in_type: FieldType
    points: Points
    out_features: int

    def prepared(self, x: Tensor) -> Tensor:
        """A pointwise function of the feature map, 0 where that is 0, before the values at the points are taken."""
        return x

    @abc.abstractmethod
    def forward(self, v: Float[Tensor, "B m P *R"]) -> Float[Tensor, "B F *R"]:
        """The outputs."""

    @abc.abstractmethod
    def plain(self, gather: Float[Tensor, "P G G k k"], padding_mode: str) -> nn.Module:
        """A module of plain torch layers from the feature map to outputs `(B, F · G, H, W)`, features outermost.

        Args:
            gather: weights of the convolution that gives the values at the points.
            padding_mode: what lies outside.
        """


def check_regular(in_type: FieldType) -> None:
    """Raise ValueError unless all fields are regular ones of a finite group of the plane."""
    group = in_type.group
    regular = all(part.is_permutation and part.size == group.order for part, _ in in_type.parts)
    if group.space != "plane" or not regular:
        raise ValueError(
            f"in_type: got {in_type}, must hold regular fields of a finite group of the plane only; "
            f"take FieldType.regular(group, fields)"
        )


def check_counts(**counts: int) -> None:
    """Raise ValueError for the first count below 1."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}: got {count}, must be at least 1")
