"""How many examples fit into memory at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym.parts import Whole, chosen, mapped

MOST = 64
COPIES = 8
"""Activations alive at once: values, tangents and jumps of a forward pass, and what a reverse pass keeps of each."""


def batch_size_within(model: nn.Module, x: Whole, gibibytes: float) -> int:
    """The largest power of two, at most 64, whose activations are expected to stay within the limit."""
    per_example = COPIES * max(1, _activation_bytes(model, chosen(x, slice(0, 1))))
    size = MOST
    while size > 1 and size * per_example > gibibytes * 2**30:
        size //= 2
    return size


def observable(model: nn.Module) -> Iterator[nn.Module]:
    """The modules that take hooks: all but those that TorchScript runs."""
    return (module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule))


def _activation_bytes(model: nn.Module, x: Whole) -> int:
    """Bytes of all outputs of modules that hold no other module, for one example."""
    total = 0

    def add(module: nn.Module, args: tuple, out: object) -> None:
        nonlocal total
        if isinstance(out, Tensor):
            total += out.numel() * out.element_size()

    handles = [m.register_forward_hook(add) for m in observable(model) if not any(True for _ in m.children())]
    try:
        with torch.no_grad(), evaluating(model):
            model(mapped(torch.clone, x))  # which the model may overwrite
    finally:
        for handle in handles:
            handle.remove()
    return total
