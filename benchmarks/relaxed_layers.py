"""A training step and the weights of each relaxed layer against its exact one: batch 32, 64 channels, 16x16, 3x3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from benchmarks.timing import clock_of, for_each, interleaved, operations, ratio
from learnsym import equivariant, relax
from learnsym._freed_memory import freed_memory_is_kept
from learnsym.groups import Cyclic

BATCH, FIELDS, SIZE = 32, 16, 16
TARGETS = {"RelaxedTranslationConv": 1.3}
TYPE = equivariant.FieldType.regular(Cyclic(4), FIELDS)


def run(device: str, repeats: int) -> Iterator[dict[str, Any]]:
    """Forward and backward pass to weights and input; weights and operations as multiples of the exact layer's."""
    torch.manual_seed(0)
    x = torch.randn(BATCH, TYPE.size, SIZE, SIZE, device=device, requires_grad=True)
    for name, (relaxed, exact) in pairs().items():
        layers = {"relaxed": relaxed.to(device), "exact": exact.to(device)}
        steps = {key: _step(layer, x) for key, layer in layers.items()}
        with freed_memory_is_kept():  # as in training
            times = interleaved(steps, repeats=repeats, device=device, clock=clock_of(device))
        weights, found = _count(relaxed) / _count(exact), ratio(times, "relaxed", "exact")
        yield {
            "name": f"{name} / {type(exact).__name__} ({weights:.2f} x weights)",
            "note": for_each(operations(steps["relaxed"]) / operations(steps["exact"]), found),
            "ratio": found,
            "target": TARGETS.get(name),
            "times": times,
        }


def pairs() -> dict[str, tuple[nn.Module, nn.Module]]:
    """Layers with the same fields, relaxed and exact; the free convolution for comparison."""
    lattice, steerable = _conv(equivariant.GroupConv2d), _conv(equivariant.SteerableConv)
    return {
        "FreeConv": (_conv(equivariant.FreeConv), steerable),
        "ProbabilisticSteerableConv": (_conv(relax.ProbabilisticSteerableConv), steerable),
        "ResidualPathway": (relax.ResidualPathway(_conv(equivariant.SteerableConv)), steerable),
        "VariationalPathway": (relax.VariationalPathway(_conv(equivariant.SteerableConv)), steerable),
        "RelaxedSteerableConv": (_conv(relax.RelaxedSteerableConv), steerable),
        "RelaxedGroupConv2d": (_conv(relax.RelaxedGroupConv2d), lattice),
        "RelaxedTranslationConv": (relax.RelaxedTranslationConv(lattice, (SIZE, SIZE), banks=2), lattice),
        "PartialGroupConv": (relax.PartialGroupConv(_conv(equivariant.GroupConv2d)), lattice),
    }


def _conv(kind: Callable[..., Any]) -> Any:
    return kind(TYPE, TYPE, 3, padding=1)


def _step(layer: nn.Module, x: torch.Tensor) -> Callable[[], None]:
    def step() -> None:
        layer.zero_grad()
        x.grad = None
        layer(x).square().mean().backward()

    return step


def _count(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())
