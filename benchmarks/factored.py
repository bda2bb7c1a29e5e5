"""Factored maps as batched products against block-diagonal matrices: forward and backward, batch 128."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from benchmarks.timing import clock_of, interleaved, ratio
from learnsym._freed_memory import freed_memory_is_kept
from learnsym.relax import FactoredMap

BATCH = 128
BLOCKS = {(10, 20, 32): 0.12, (20, 40, 16): 1 / 6}
"""Channels in and out, pixels along an axis, with the target; stride 1."""


def run(device: str, repeats: int) -> Iterator[dict[str, Any]]:
    """Both forms with the same weights."""
    for (c, d, size), target in BLOCKS.items():
        torch.manual_seed(0)
        layer = FactoredMap(c, d, size).to(device)
        x = torch.rand(BATCH, c, size, size, device=device, requires_grad=True)
        forms = {
            "batched": step(layer, layer, x),
            "block diagonal": step(lambda x, layer=layer: block_diagonal(layer, x), layer, x),
        }
        with freed_memory_is_kept():  # as in training
            times = interleaved(forms, repeats=repeats, device=device, clock=clock_of(device))
        yield {
            "name": f"factored map {c} -> {d} at {size} px / block diagonal",
            "ratio": ratio(times, "batched", "block diagonal"),
            "target": target,
            "times": times,
        }


def step(function: Callable[[Tensor], Tensor], layer: FactoredMap, x: Tensor) -> Callable[[], object]:
    """The output and its product with the Jacobian of all weights and of the input."""
    inputs, cotangent = (x, *layer.parameters()), torch.randn_like(layer(x))
    return lambda: torch.autograd.grad(function(x), inputs, cotangent)


def block_diagonal(layer: FactoredMap, x: Tensor) -> Tensor:
    """Two matrices with a block for each channel in, then for each channel out."""
    c, _, d = layer.reading.shape
    read = torch.block_diag(*layer.reading.transpose(1, 2))
    write = torch.block_diag(*layer.writing.transpose(1, 2))
    s = torch.nn.functional.linear(x.flatten(1), read)
    y = torch.nn.functional.linear(s.unflatten(1, (c, d)).transpose(1, 2).flatten(1), write)
    return (y + layer.constant().flatten()).unflatten(1, (d, *layer.out_size))
