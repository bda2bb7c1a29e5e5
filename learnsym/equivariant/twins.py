"""Twins of a whole network: every layer replaced by its exactly equivariant or its free counterpart."""

from __future__ import annotations

from typing import Any

from torch import nn

from learnsym import _escnn


def exact_twin(network: nn.Module) -> nn.Module:
    """A copy in which every relaxed layer is projected onto the equivariant ones: what its method `exact` returns."""
    return _replaced(_escnn.copied(network), "exact", {})


def plain_twin(network: nn.Module) -> nn.Module:
    """A copy of plain torch layers that computes the same function: what the method `plain` of each layer returns.

    It is what is exported, and a start for training without any constraint.
    """
    return _replaced(_escnn.copied(network), "plain", {})


def _replaced(module: nn.Module, method: str, made: dict[int, nn.Module]) -> nn.Module:
    """The module with its twins; a layer that is used at several places has one."""
    make: Any = getattr(module, method, None)
    if callable(make):
        if id(module) not in made:
            twin = make()
            assert isinstance(twin, nn.Module)
            made[id(module)] = twin.train(module.training)
        return made[id(module)]
    for name, child in module._modules.items():
        if child is not None:
            module._modules[name] = _replaced(child, method, made)
    return module
