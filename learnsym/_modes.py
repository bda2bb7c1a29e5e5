"""Evaluation mode for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(model: Callable[..., object]) -> Iterator[None]:
    """A module in evaluation mode, its modules back in their own modes afterwards, also after an exception."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    training = [module.training for module in modules]
    if modules:
        modules[0].eval()
    try:
        yield
    finally:
        for module, mode in zip(modules, training, strict=True):
            module.training = mode
