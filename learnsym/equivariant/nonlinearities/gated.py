"""Gated nonlinearity: fields times functions of scalars."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels


class Gated(nn.Module):
    """Scalars through a pointwise function, each other field times the sigmoid of a scalar of its own.

        s -> a(s),    v_i -> v_i sigmoid(g_i)

    The scalars `g` come last in the input, so that the layer before has to give `in_type`.

    Args:
        field_type: fields of the output.
        activation: of the scalar fields.

    Attributes:
        in_type: `field_type` and one scalar for each field that is not trivial.

    Reference: Weiler, Geiger, Welling, Boomsma, Cohen, "3D steerable CNNs" (2018), arXiv 1807.02547.

    Example:
        >>> fields = ls.equivariant.FieldType.irreps(ls.groups.SO2(), {0: 2, 1: 3})
        >>> ls.equivariant.Gated(fields).in_type
        SO(2): 2 x irrep 0 + 3 x irrep 1 + 3 x irrep 0
    """

    def __init__(self, field_type: FieldType, activation: nn.Module | None = None) -> None:
        super().__init__()
        gates = sum(count for representation, count in field_type.parts if not representation.is_trivial)
        self.in_type = field_type + FieldType.trivial(field_type.group, gates) if gates else field_type
        self.out_type, self.sections = field_type, field_type.sections()
        self.activation = nn.ELU() if activation is None else activation

    def forward(self, x: Tensor) -> Tensor:
        """The gated fields, `(B, c, *S)` from `(B, c_in, *S)`."""
        check_channels(self.in_type, x)
        gates, done, used = x[:, self.out_type.size :].sigmoid(), [], 0
        for representation, count, channels in self.sections:
            if representation.is_trivial:
                done.append(self.activation(x[:, channels]))
                continue
            fields = x[:, channels].unflatten(1, (count, representation.size))
            done.append((fields * gates[:, used : used + count, None]).flatten(1, 2))
            used += count
        return torch.cat(done, 1)

    def plain(self) -> nn.Module:
        """A copy: it has no weights, and computes with nothing but operations of torch."""
        return copy.deepcopy(self)

    def extra_repr(self) -> str:
        """Type."""
        return repr(self.out_type)
