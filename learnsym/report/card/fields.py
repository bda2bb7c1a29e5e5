"""How outputs of a network of escnn move: as the fields of its `out_type` say, where the group is theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from learnsym import _escnn
from learnsym.actions import Invariant
from learnsym.equivariant import FeatureField, FieldType, field_type_of
from learnsym.symmetry import Symmetry


def with_fields(symmetry: Symmetry, model: nn.Module) -> Symmetry:
    """The symmetry with the action on the fields that a network of escnn returns; as it is for other networks.

    Scalar fields have the shape of what they are, and are left to that.
    """
    fields = _fields(model)
    if fields is None or fields.is_invariant or fields.group != symmetry.group:
        return symmetry
    return replace(symmetry, on_output=FeatureField(fields)) if _guessed(symmetry) else symmetry


def fields_note(symmetry: Symmetry, model: nn.Module) -> list[str]:
    """That fields of another group were not moved as fields, in a sentence."""
    fields = _fields(model)
    if fields is None or fields.is_invariant or fields.group == symmetry.group or not _guessed(symmetry):
        return []
    return [
        f"The outputs are fields of {fields.group.name} for escnn ({fields}), of which {symmetry.name} says nothing; "
        "name that group, or measure with ls.equivariant.escnn_symmetry(net)."
    ]


def _guessed(symmetry: Symmetry) -> bool:
    return isinstance(symmetry.on_output, Invariant)


def _fields(model: nn.Module) -> FieldType | None:
    net: Any = model.net if isinstance(model, _escnn.OnTensors) else None
    out_type = getattr(net, "out_type", None)
    try:
        return field_type_of(out_type) if _escnn.is_field_type(out_type) else None
    except ValueError:
        return None
