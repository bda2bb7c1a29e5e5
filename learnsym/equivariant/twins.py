"""Twins of a whole network: every layer replaced by its exactly equivariant or its free counterpart."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn


def exact_twin(network: nn.Module) -> nn.Module:
    """A copy in which every relaxed layer is projected onto the equivariant ones: what its method `exact` returns."""
    return _replaced(copy.deepcopy(network), "exact")


def plain_twin(network: nn.Module) -> nn.Module:
    """A copy of plain torch layers that computes the same function: what the method `plain` of each layer returns.

    It is what is exported, and a start for training without any constraint.
    """
    return _replaced(copy.deepcopy(network), "plain")


def _replaced(module: nn.Module, method: str) -> nn.Module:
    make: Any = getattr(module, method, None)
    if callable(make):
        twin = make()
        assert isinstance(twin, nn.Module)
        return twin.train(module.training)
    for name, child in module.named_children():
        setattr(module, name, _replaced(child, method))
    return module
