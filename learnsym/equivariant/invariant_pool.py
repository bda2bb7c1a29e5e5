"""Invariants of fields."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.representations import Representation

REDUCTIONS = ("max", "mean")


class InvariantPool(nn.Module):
    """One number for each field that the group does not change: scalars stay; the largest (or mean) component of fields
    that are permuted; the norm of others.

    Args:
        field_type: fields of the input; the output has as many scalars.
        reduction: `max` or `mean`, over components that are permuted.
        eps: added to squared norms, where their root has no derivative.

    Raises:
        ValueError: for another reduction.

    Example:
        >>> fields = ls.equivariant.FieldType.irreps(ls.groups.SO2(), {0: 1, 1: 1})
        >>> ls.equivariant.InvariantPool(fields)(torch.tensor([[-1.0, 3.0, 4.0]]))
        tensor([[-1.,  5.]])
    """

    def __init__(self, field_type: FieldType, reduction: str = "max", eps: float = 1e-12) -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction: got {reduction!r}, must be one of {', '.join(REDUCTIONS)}")
        self.in_type, self.out_type = field_type, FieldType.trivial(field_type.group, field_type.fields)
        self.reduction, self.eps, self.sections = reduction, eps, field_type.sections()

    def forward(self, x: Tensor) -> Tensor:
        """The invariants, as scalar fields, `(B, f, *S)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        return torch.cat(
            [
                self._invariant(representation, x[:, channels].unflatten(1, (count, representation.size)))
                for representation, count, channels in self.sections
            ],
            1,
        )

    def _invariant(self, representation: Representation, fields: Tensor) -> Tensor:
        if representation.is_trivial:
            return fields.flatten(1, 2) if representation.size == 1 else fields.mean(2)
        if representation.is_permutation:
            return fields.amax(2) if self.reduction == "max" else fields.mean(2)
        return (fields.square().sum(2) + self.eps).sqrt()

    def plain(self) -> nn.Module:
        """A copy: it has no weights, and computes with nothing but operations of torch."""
        return copy.deepcopy(self)

    def extra_repr(self) -> str:
        """Type."""
        return f"{self.in_type}, reduction={self.reduction!r}"
