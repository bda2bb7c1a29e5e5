"""Evaluation mode for a while, and what else of a model must be as it was afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn


def module_of(model: object) -> nn.Module | None:
    """The module that a callable is or is bound to, as `net`, `net.forward` and `partial(net, ...)` are."""
    while isinstance(model, partial):
        model = model.func
    owner = getattr(model, "__self__", model)
    return owner if isinstance(owner, nn.Module) else None


@contextmanager
def evaluating(model: Callable[..., object]) -> Iterator[None]:
    """A module in evaluation mode, its modules back in their own modes afterwards, also after an exception."""
    module = module_of(model)
    modules = [] if module is None else list(module.modules())
    # frozen TorchScript has no modes
    training = [(each, each.training) for each in modules if hasattr(each, "training")]
    buffers = [(each, {*each._buffers}) for each in modules if not isinstance(each, torch.jit.ScriptModule)]
    try:
        if training:
            _evaluate(modules[0])
        yield
    finally:
        for each, mode in training:
            each.training = mode
        for each, names in buffers:
            # what a module keeps for evaluation, as those of escnn do
            for name in {*each._buffers} - names:
                del each._buffers[name]


@contextmanager
def keeping_buffers(model: Callable[..., object]) -> Iterator[None]:
    """The buffers of a module, such as counters and running statistics, as they were afterwards."""
    module = module_of(model)
    owners = [] if module is None else list(module.modules())
    buffers = [(owner, *named) for owner in owners for named in owner.named_buffers(recurse=False)]
    kept = [(owner, name, buffer, buffer.detach().clone()) for owner, name, buffer in buffers]
    try:
        yield
    finally:
        for owner, name, buffer, value in kept:
            with torch.inference_mode(buffer.is_inference()), torch.no_grad():
                if getattr(owner, name) is not buffer:
                    setattr(owner, name, buffer)
                # sparse tensors cannot be compared
                if buffer.layout != torch.strided or not torch.equal(buffer, value):
                    buffer.copy_(value)


def _evaluate(module: nn.Module) -> None:
    try:
        module.eval()
    except NotImplementedError:
        # a program of torch.export has the one mode in which it was traced
        for child in module.children():
            _evaluate(child)
