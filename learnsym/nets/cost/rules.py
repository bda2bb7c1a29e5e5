"""Layers whose nominal cost is not that of the matrices they multiply by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from learnsym.equivariant.projective.linear import MultivectorLinear
from learnsym.nets.cost.counter import Use


def _dense_multivectors(layer: MultivectorLinear) -> float:
    """Multivectors count as 16 numbers each, which makes 256 elements for a pair of channels.

    Each token uses two sparse matrices, one of them three times: four uses together.
    """
    (c, d), (s, r) = layer.channels, layer.scalars
    return (s * r + s * d + c * r + 256 * c * d) / 4


nominal_rules: dict[type[nn.Module], Callable[[Any], float]] = {MultivectorLinear: _dense_multivectors}
"""From a class of layers to a function of a layer: nominal matrix elements for each time a matrix of it is applied."""


def nominal_forward(layer: nn.Module, use: Use) -> float:
    """FLOPs of the forward products; subclasses have the rule of their base, classes without one what they do."""
    rule = next((nominal_rules[base] for base in type(layer).__mro__ if base in nominal_rules), None)
    return use.flops if rule is None else 2 * use.times * rule(layer)
