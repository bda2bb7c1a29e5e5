"""A training step of relaxed and partial convolutions against their exact twins: batch 32, 64 channels, 16x16."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from benchmarks.timing import interleaved, ratio
from learnsym.equivariant import FieldType, GroupConv2d, SteerableConv
from learnsym.groups import Cyclic
from learnsym.relax import PartialGroupConv, RelaxedGroupConv2d, RelaxedSteerableConv, RelaxedTranslationConv

BATCH, FIELDS, SIZE, KERNEL = 32, 16, 16, 3


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Forward and backward of one layer; weights are in the name, as multiples of the exact layer's."""
    torch.manual_seed(0)
    fields = FieldType.regular(Cyclic(4), FIELDS)
    options = {"padding": KERNEL // 2}
    lattice, steerable = (
        GroupConv2d(fields, fields, KERNEL, **options),
        SteerableConv(fields, fields, KERNEL, **options),
    )
    twins: dict[str, tuple[nn.Module, nn.Module]] = {
        "relaxed group, 2 banks": (RelaxedGroupConv2d(fields, fields, KERNEL, banks=2, **options), lattice),
        "relaxed steerable, 2 banks": (RelaxedSteerableConv(fields, fields, KERNEL, banks=2, **options), steerable),
        "relaxed translation, 2 banks": (RelaxedTranslationConv(lattice, (SIZE, SIZE), banks=2), lattice),
        "partial group": (PartialGroupConv(lattice), lattice),
    }
    return [_row(name, relaxed, exact, device, repeats) for name, (relaxed, exact) in twins.items()]


def _row(name: str, relaxed: nn.Module, exact: nn.Module, device: str, repeats: int) -> dict[str, Any]:
    x = torch.randn(BATCH, 4 * FIELDS, SIZE, SIZE, device=device)
    layers = {"relaxed": relaxed.to(device), "exact": exact.to(device)}

    def step(layer: nn.Module) -> None:
        layer(x).square().mean().backward()
        layer.zero_grad()

    calls = {key: lambda layer=layer: step(layer) for key, layer in layers.items()}
    times = interleaved(calls, repeats=repeats, device=device)
    weights = _count(relaxed) / _count(exact)
    return {
        "name": f"{name} / exact ({weights:.2f} x weights)",
        "ratio": ratio(times, "relaxed", "exact"),
        "times": times,
    }


def _count(layer: nn.Module) -> int:
    return sum(weight.numel() for weight in layer.parameters())
