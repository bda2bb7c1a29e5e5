"""A training step and the weights of relaxed layers against the exact one: 8 regular fields of C_4, 3x3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from benchmarks.timing import interleaved, ratio
from learnsym import equivariant, relax
from learnsym.groups import Cyclic

BATCH, FIELDS, SIZE = 32, 8, 16
TYPE = equivariant.FieldType.regular(Cyclic(4), FIELDS)
EXACT = "SteerableConv"


def run(device: str, repeats: int) -> Iterator[dict[str, Any]]:
    """Forward and backward pass to weights and input; `weights` is the number of them in units of the exact layer."""
    x = torch.randn(BATCH, TYPE.size, SIZE, SIZE, device=device, requires_grad=True)
    made = {name: make().to(device) for name, make in layers().items()}
    times = interleaved({name: _step(layer, x) for name, layer in made.items()}, repeats=repeats, device=device)
    for name, layer in made.items():
        if name == EXACT:
            continue
        yield {
            "name": f"{name} / {EXACT}",
            "ratio": ratio(times, name, EXACT),
            "weights": _count(layer) / _count(made[EXACT]),
            "times": {key: times[key] for key in (name, EXACT)},
        }


def layers() -> dict[str, Callable[[], nn.Module]]:
    """The layers, all with the same fields."""
    return {
        EXACT: lambda: _conv(equivariant.SteerableConv),
        "FreeConv": lambda: _conv(equivariant.FreeConv),
        "GroupConv2d": lambda: _conv(equivariant.GroupConv2d),
        "ProbabilisticSteerableConv": lambda: _conv(relax.ProbabilisticSteerableConv),
        "ResidualPathway": lambda: relax.ResidualPathway(_conv(equivariant.SteerableConv)),
        "VariationalPathway": lambda: relax.VariationalPathway(_conv(equivariant.SteerableConv)),
        "RelaxedGroupConv2d": lambda: _conv(relax.RelaxedGroupConv2d),
        "RelaxedSteerableConv": lambda: _conv(relax.RelaxedSteerableConv),
        "PartialGroupConv": lambda: relax.PartialGroupConv(_conv(equivariant.GroupConv2d)),
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
