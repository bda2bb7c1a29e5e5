"""The blocks that steerable networks are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from learnsym.equivariant import FieldBatchNorm, FieldType, Gated, Pointwise, Sequential
from learnsym.groups import Group

Conv = Callable[..., Any]
"""A convolution between fields: `conv(in_type, out_type, kernel_size, stride=, padding=, bias=)`."""


def hidden_type(group: Group, count: int, band_limit: int | None = None) -> FieldType:
    """Regular fields of a finite group, as many of each irreducible representation of a Lie group."""
    if group.order is not None:
        return FieldType.regular(group, count)
    return FieldType.all_irreps(group, count, band_limit)


def activated(fields: FieldType) -> Sequential:
    """Batch normalisation and a nonlinearity that give `fields`: ELU where channels are permuted, else gated."""
    activation = Pointwise(fields, nn.ELU()) if fields.is_permutation else Gated(fields, nn.ELU())
    return Sequential(FieldBatchNorm(activation.in_type), activation)


def conv_block(conv: Conv, in_type: FieldType, fields: FieldType, kernel_size: int, stride: int = 1) -> Sequential:
    """Convolution, normalisation, nonlinearity."""
    after = activated(fields)
    first = conv(in_type, after.in_type, kernel_size, stride=stride, padding=kernel_size // 2, bias=False)
    return Sequential(first, after)


class Residual(nn.Module):
    """`body(x) + shortcut(x)`, of modules with field types.

    Raises:
        ValueError: when their types differ.
    """

    def __init__(self, body: Sequential, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.in_type, self.out_type = body.in_type, body.out_type
        types = (body.in_type, body.in_type) if shortcut is None else (shortcut.in_type, shortcut.out_type)
        if types != (self.in_type, self.out_type):
            raise ValueError(
                f"shortcut: leads from {types[0]} to {types[1]}, must lead from {self.in_type} to {self.out_type}; "
                "take a convolution of one pixel"
            )
        self.body, self.shortcut = body, nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)
