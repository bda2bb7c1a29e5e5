"""Field types on cosets: feature maps split into fields, and what their fields become on a coarser grid."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.subsampling.index import blurred, response
from learnsym.groups import Group
from learnsym.representations import Irrep, Quotient, Regular, Representation


def coarser(field_type: FieldType, subgroup: Group) -> FieldType:
    """Fields on a coset: scalar fields stay scalar, regular ones become regular fields of the subgroup.

    Raises:
        ValueError: for fields that are neither.
    """
    return FieldType(subgroup, tuple((_coarser(part, subgroup), count) for part, count in field_type.parts))


def by_field(
    field_type: FieldType, x: Float[Tensor, "B c H W"], function: Callable[[Tensor, bool], Tensor]
) -> Float[Tensor, "B d h w"]:
    """A function of `(B, F, G, H, W)`, and of whether the fields are regular, on each part of a feature map."""
    parts = [
        function(x[:, channels].unflatten(1, (count, part.size)), is_regular(part)).flatten(1, 2)
        for part, count, channels in field_type.sections()
    ]
    return torch.cat(parts, 1) if len(parts) > 1 else parts[0]


def scores(field_type: FieldType, x: Float[Tensor, "B c H W"], blur: float) -> Float[Tensor, "B G H W"]:
    """The blurred response to all parts of a feature map; that to scalar fields is the same for all elements."""
    total = x.new_zeros(len(x), len(field_type.group.components), *x.shape[2:], dtype=torch.float64)
    for part, count, channels in field_type.sections():
        total = total + response(x[:, channels].unflatten(1, (count, part.size)))
    return blurred(total, blur)


def is_regular(representation: Representation) -> bool:
    """Whether there is one component for each element of the group."""
    return isinstance(representation, Quotient) and representation.size == len(representation.group.components)


def check_image(field_type: FieldType, x: Tensor, stride: int) -> None:
    """Raise ValueError for an image without the channels of a type, or whose sides do not fit."""
    check_channels(field_type, x)
    height, width = x.shape[2:]
    if height % stride or width % stride:
        raise ValueError(
            f"x: got {height} x {width} pixels, must be multiples of the stride {stride}, since images wrap around; "
            f"pad to {-(-height // stride) * stride} x {-(-width // stride) * stride}, or use exact_strides"
        )
    if height != width and bool((field_type.group.components[:, 0, 0] == 0).any()):
        raise ValueError(f"x: got {height} x {width} pixels, must be square for {field_type.group}; pad it")


def _coarser(representation: Representation, subgroup: Group) -> Representation:
    if is_regular(representation):
        return Regular(subgroup)
    if representation.is_trivial:
        return Irrep(subgroup, 0)
    raise ValueError(
        f"in_type: got {representation!r} of {representation.group}, must be scalar or regular fields; "
        f"take FieldType.regular"
    )
