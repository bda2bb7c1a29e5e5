"""Exact layers against a plain convolution of the same channels, and against escnn's `R2Conv`, trained and evaluated.

In evaluation both libraries keep the kernel that they have expanded. All sides call one convolution of torch with the
same numbers of channels and pixels, ours with the channels of a pixel side by side: little beside it can be saved. The
first rows hold that order's making, of images that come one after the other; within a network they come as the layer
before it left them, and memory that is freed is kept, as in training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import clock_of, interleaved, ratio
from learnsym._freed_memory import freed_memory_is_kept
from learnsym.equivariant import FieldType, GroupConv2d, SteerableConv
from learnsym.equivariant.memory_order import channels_last
from learnsym.groups import Cyclic

BATCH, FIELDS, SIZES = 32, 16, (16, 32)
TARGET_PLAIN, TARGET_ESCNN, TARGET_KEPT = 1.10, 0.90, 0.80


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """One 3x3 layer of 16 regular fields of C_4 or C_8: forward and backward, to weights and input; forward alone."""
    cases = [
        (f"C_{order} {layer.__name__} {size}x{size}", _conv(layer, order, device), order, size)
        for order, layer in ((4, GroupConv2d), (8, SteerableConv))
        for size in SIZES
    ]
    # keeping memory changes how the allocator goes on, so that what does not keep it comes first
    return [row for compared in (_compared, _within) for case in cases for row in compared(*case, device, repeats)]


def _conv(layer: type[GroupConv2d | SteerableConv], order: int, device: str) -> nn.Module:
    fields = FieldType.regular(Cyclic(order), FIELDS)
    return layer(fields, fields, 3, padding=1).to(device)


def _compared(name: str, conv: nn.Module, order: int, size: int, device: str, repeats: int) -> list[dict[str, Any]]:
    channels = FIELDS * order
    x = torch.randn(BATCH, channels, size, size, device=device, requires_grad=True)
    plain = nn.Conv2d(channels, channels, 3, padding=1, device=device)
    escnn_layer, wrap = _escnn(order, device)
    sides: dict[str, Callable[[], object]] = {
        "learnsym": lambda: _step(conv, x, lambda y: y),
        "plain": lambda: _step(plain, x, lambda y: y),
        "escnn": lambda: _step(lambda x: escnn_layer(wrap(x)), x, lambda y: y.tensor),
    }
    times = interleaved(sides, repeats=repeats, device=device, clock=clock_of(device))
    evaluated = {
        "learnsym": (conv, lambda: conv(x.detach())),
        "plain": (plain, lambda: plain(x.detach())),
        "escnn": (escnn_layer, lambda: escnn_layer(wrap(x.detach()))),
    }
    kept = _evaluated(evaluated, device, repeats)
    return [
        {"name": f"{name} / plain", "ratio": ratio(times, "learnsym", "plain"), "target": TARGET_PLAIN, "times": times},
        {"name": f"{name} / escnn", "ratio": ratio(times, "learnsym", "escnn"), "target": TARGET_ESCNN, "times": times},
        {
            "name": f"{name} / escnn, kernels kept",
            "ratio": ratio(kept, "learnsym", "escnn"),
            "target": TARGET_KEPT,
            "times": kept,
        },
    ]


@torch.no_grad()
def _evaluated(sides: dict[str, tuple[nn.Module, Callable[[], object]]], device: str, repeats: int) -> dict[str, float]:
    """Seconds of one evaluation of each layer; all are in training again after it."""
    for layer, _ in sides.values():
        layer.eval()
    calls = {name: call for name, (_, call) in sides.items()}
    times = interleaved(calls, repeats=repeats, device=device, clock=clock_of(device))
    for layer, _ in sides.values():
        layer.train()
    return times


def _within(name: str, conv: nn.Module, order: int, size: int, device: str, repeats: int) -> list[dict[str, Any]]:
    """A training step of a layer among others: what it reads lies in memory as its own kind leaves it."""
    channels = FIELDS * order
    x = torch.randn(BATCH, channels, size, size, device=device)
    plain = nn.Conv2d(channels, channels, 3, padding=1, device=device)
    escnn_layer, wrap = _escnn(order, device)
    steps = {
        "learnsym": _between(conv, channels_last(x)),
        "plain": _between(plain, x),
        "escnn": _between(lambda x: escnn_layer(wrap(x)).tensor, x),
    }
    with freed_memory_is_kept():  # as in training
        times = interleaved(steps, repeats=repeats, device=device, clock=clock_of(device))
    return [
        {"name": f"{name} / {other}, within a network", "ratio": ratio(times, "learnsym", other), "times": times}
        for other in ("plain", "escnn")
    ]


def _between(layer: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], object]:
    x, gradient = x.detach().requires_grad_(), torch.randn_like(x)

    def step() -> None:
        layer(x).backward(gradient)
        x.grad = None

    return step


def _step(layer: Callable[[Tensor], Any], x: Tensor, tensor: Callable[[Any], Tensor]) -> None:
    tensor(layer(x)).backward(torch.ones(()).to(x).expand(x.shape))
    x.grad = None


def _escnn(order: int, device: str) -> tuple[nn.Module, Callable[[Tensor], Any]]:
    """The layer of escnn with the same fields, and what makes its input of a tensor."""
    from escnn import gspaces
    from escnn import nn as enn

    space = gspaces.rot2dOnR2(order)
    fields = enn.FieldType(space, FIELDS * [space.regular_repr])
    layer = enn.R2Conv(fields, fields, 3, padding=1).to(device)
    return layer, lambda x: enn.GeometricTensor(x, fields)
