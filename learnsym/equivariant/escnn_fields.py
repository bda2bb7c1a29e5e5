"""Field types of escnn as field types of this library, and the symmetry that a network of escnn has by its types."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from torch import nn

from learnsym import _escnn
from learnsym.equivariant.feature_field import FeatureField
from learnsym.equivariant.field_type import FieldType
from learnsym.representations import EscnnRepresentation
from learnsym.symmetry import Symmetry


def field_type_of(fields: Any) -> FieldType:  # noqa: ANN401
    """The field type with the channels of one of escnn, under the elements that move its space alike.

    Args:
        fields: `escnn.nn.FieldType` on the plane or in space.

    Raises:
        ValueError: when no group of this library moves its space so, or for something else than a field type.

    Example:
        >>> from escnn import gspaces, nn as enn
        >>> space = gspaces.rot2dOnR2(4)
        >>> ls.equivariant.field_type_of(enn.FieldType(space, 2 * [space.regular_repr]))
        C_4: 2 x regular of escnn
    """
    if not _escnn.is_field_type(fields):
        raise ValueError(f"fields: got a {type(fields).__name__}, must be a FieldType of escnn; take net.in_type")
    group = _escnn.group_of(fields.gspace)
    runs = groupby(fields.representations, key=lambda representation: representation.name)
    parts = [(EscnnRepresentation(group, fields.gspace, alike[0]), len(alike)) for _, run in runs if (alike := [*run])]
    return FieldType(group, tuple(parts))


def escnn_symmetry(net: nn.Module) -> Symmetry:
    """What a network of escnn claims: the group of its space, acting on the fields of `in_type` and of `out_type`.

    Args:
        net: a module of escnn, or one that `ls.relax.from_escnn` made.

    Raises:
        ValueError: for a module without types of escnn.
    """
    types = [getattr(net, name, None) for name in ("in_type", "out_type")]
    if not all(map(_escnn.is_field_type, types)):
        raise ValueError(
            f"net: got a {type(net).__name__} without in_type and out_type of escnn; give a SequentialModule or "
            "another EquivariantModule, or name the symmetry, such as 'rotation2d'"
        )
    on_input, on_output = (FeatureField(field_type_of(each)) for each in types)
    return Symmetry(on_input.field_type.group, on_input, on_output)
