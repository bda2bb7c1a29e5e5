"""Modules in a row whose field types fit."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import nn

from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.twins import plain_twin

ALIKE_ON_CHANNELS = (
    nn.Identity,
    nn.Upsample,
    nn.AvgPool2d,
    nn.AvgPool3d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
)
"""Modules of torch that do the same linear thing to each channel, so that fields of any type stay such."""


class Sequential(nn.Sequential):
    """`nn.Sequential` that checks field types: each module takes what the one before gives.

    A module without types, such as `nn.ReLU` or `nn.MaxPool2d`, is taken to treat all channels alike and to keep the
    type; it may stand where the group permutes channels. Average pools and `nn.Upsample` may stand anywhere. Layers
    that mix channels without a type, such as a head of `nn.Linear`, belong outside.

    Attributes:
        in_type: what the first module with types takes.
        out_type: what the last one gives.

    Raises:
        ValueError: for two modules whose types differ, or a pointwise module on fields that are not permuted.

    Example:
        >>> regular = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> image = ls.equivariant.FieldType.trivial(ls.groups.Cyclic(4), 1)
        >>> conv = ls.equivariant.SteerableConv(image, regular, 3, padding=1)
        >>> ls.equivariant.Sequential(conv, ls.equivariant.FieldBatchNorm(regular), nn.ReLU()).out_type
        C_4: 2 x regular
    """

    in_type: FieldType
    out_type: FieldType

    def __init__(self, *modules: Any) -> None:  # noqa: ANN401  as nn.Sequential: modules, or one dictionary of them
        super().__init__(*modules)
        self.in_type, self.out_type = _chained(list(self.named_children()))

    def plain(self) -> nn.Sequential:
        """`nn.Sequential` of the plain twins of all modules."""
        return nn.Sequential(OrderedDict((name, plain_twin(module)) for name, module in self.named_children()))


def _chained(modules: list[tuple[str, nn.Module]]) -> tuple[FieldType, FieldType]:
    """The types of the whole chain."""
    first: Any = next((module.in_type for _, module in modules if _is_typed(module)), None)
    if first is None:
        raise ValueError("modules: none has field types; use nn.Sequential")
    current, before = first, "the input"
    module: Any
    for name, module in modules:
        shown = f"{name} ({type(module).__name__})"
        if _is_typed(module):
            _check_pair(before, current, shown, module)
            current = module.out_type
        elif not current.is_permutation and not isinstance(module, ALIKE_ON_CHANNELS):
            raise ValueError(
                f"modules: {shown} acts on each channel alone, but {before} gives {current}, which the group does not "
                "permute; use Gated, NormNonlinearity or FourierNonlinearity"
            )
        before = shown
    return first, current


def _is_typed(module: nn.Module) -> bool:
    return isinstance(getattr(module, "in_type", None), FieldType)


def _check_pair(before: str, given: FieldType, shown: str, module: Any) -> None:  # noqa: ANN401
    if module.in_type != given:
        raise ValueError(
            f"modules: {before} gives {given}, but {shown} takes {module.in_type}; give both the same field type"
        )
