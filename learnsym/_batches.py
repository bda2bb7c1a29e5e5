"""How many examples are computed at a time, so that a limit of memory holds."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from learnsym._memory import GIB, written
from learnsym._modes import evaluating
from learnsym.parts import Whole, chosen, mapped, tensors_in

MOST = 64
COPIES = 8
"""Activations alive at once: values, tangents and jumps of a forward pass, and what a reverse pass keeps of each."""


class NeedsMore(ValueError):
    """More memory is needed than the limit of one process, of several that share a limit."""

    def __init__(self, what: str, needed: int, limit: int, processes: int = 1) -> None:
        shared = f" for {processes} processes" if processes > 1 else ""
        asked = written(needed * processes)
        super().__init__(f"memory: got {written(limit * processes)}{shared}, and {what}; give {asked} or more")
        self.what, self.needed, self.limit, self.processes = what, needed, limit, processes

    def __reduce__(self) -> tuple[type[NeedsMore], tuple[str, int, int, int]]:
        return NeedsMore, (self.what, self.needed, self.limit, self.processes)

    def of(self, processes: int) -> NeedsMore:
        """The same, in terms of the limit that all processes have."""
        return NeedsMore(self.what, self.needed, self.limit, processes)


def batch_size_within(model: nn.Module, x: Whole, gibibytes: float, most: int = MOST) -> int:
    """The largest power of two, up to `most`, whose activations are expected to stay within the limit.

    Raises:
        ValueError: when those of one example do not.
    """
    return rows_within(COPIES * max(1, activation_bytes(model, chosen(x, slice(0, 1)))), gibibytes, most)


def rows_within(each: int, gibibytes: float, most: int, least: int = 1) -> int:
    """The largest power of two of examples, from `least` to `most`, of which each takes so many bytes.

    Raises:
        ValueError: when `least` of them take more than the limit.

    Example:
        >>> rows_within(2**20, gibibytes=0.125, most=512)
        128
    """
    if least * each > gibibytes * GIB:
        what = "one example takes" if least == 1 else f"a batch of {least} examples takes"
        raise NeedsMore(f"{what} {written(least * each)}", least * each, int(gibibytes * GIB))
    size = most
    while size > least and size * each > gibibytes * GIB:
        size //= 2
    return size


def observable(model: nn.Module) -> Iterator[nn.Module]:
    """The modules that take hooks: all but those that TorchScript runs."""
    return (module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule))


def activation_bytes(model: nn.Module, x: Whole) -> int:
    """Bytes of some examples and of what a network makes of them in evaluation mode, see `heard_bytes`."""
    with torch.no_grad(), evaluating(model):
        return heard_bytes(model, x)


def heard_bytes(model: nn.Module, x: Whole) -> int:
    """Bytes of some examples and of all outputs of modules that hold no other module, for them."""
    total = sum(tensor.numel() * tensor.element_size() for _, tensor in tensors_in(x))

    def add(module: nn.Module, args: tuple, out: object) -> None:
        nonlocal total
        if isinstance(out, Tensor):
            total += out.numel() * out.element_size()

    handles = [m.register_forward_hook(add) for m in observable(model) if not any(True for _ in m.children())]
    try:
        model(mapped(torch.clone, x))  # which the model may overwrite
    finally:
        for handle in handles:
            handle.remove()
    return total
