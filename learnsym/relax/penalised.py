"""Layers that have a penalty: a negative log prior, or a divergence from one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn


def penalised(module: nn.Module) -> Iterable[Any]:
    """Modules with a method `penalty`, outermost only: one that answers does so for its parts."""
    if callable(getattr(module, "penalty", None)):
        yield module
        return
    for child in module.children():
        yield from penalised(child)
