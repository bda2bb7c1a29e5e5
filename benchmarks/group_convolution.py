"""Exact layers against a plain convolution of the same channels, and against escnn's `R2Conv`, trained and evaluated.

In evaluation both libraries keep the kernel that they have expanded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import interleaved, ratio
from learnsym.equivariant import FieldType, GroupConv2d, SteerableConv
from learnsym.groups import Cyclic

BATCH, FIELDS, SIZES = 32, 16, (16, 32)
TARGET_PLAIN, TARGET_ESCNN, TARGET_KEPT = 1.10, 0.90, 0.80


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """One 3x3 layer of 16 regular fields of C_4 or C_8: forward and backward, to weights and input; forward alone."""
    rows = []
    for order, layer in ((4, GroupConv2d), (8, SteerableConv)):
        fields = FieldType.regular(Cyclic(order), FIELDS)
        conv = layer(fields, fields, 3, padding=1).to(device)
        for size in SIZES:
            rows += _compared(f"C_{order} {layer.__name__} {size}x{size}", conv, order, size, device, repeats)
    return rows


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
    times = interleaved(sides, repeats=repeats, device=device)
    kept = _evaluated(conv, lambda x: escnn_layer(wrap(x)), escnn_layer, x.detach(), device, repeats)
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
def _evaluated(
    conv: nn.Module, escnn: Callable[[Tensor], Any], escnn_layer: nn.Module, x: Tensor, device: str, repeats: int
) -> dict[str, float]:
    """Seconds of one evaluation; both layers are in training again after it."""
    for layer in (conv, escnn_layer):
        layer.eval()
    times = interleaved({"learnsym": lambda: conv(x), "escnn": lambda: escnn(x)}, repeats=repeats, device=device)
    for layer in (conv, escnn_layer):
        layer.train()
    return times


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
