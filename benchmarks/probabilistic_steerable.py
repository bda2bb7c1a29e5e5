"""A probabilistic steerable network against its exact twin: a training step, and weights; O(2) on 16x1x56x56."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.timing import interleaved, ratio
from learnsym.equivariant import FieldBatchNorm, FieldType, Gated
from learnsym.groups import O2
from learnsym.relax import ProbabilisticSteerableConv, exact_twin

BATCH, SIZE, CLASSES, WIDTH = 16, 56, 10, 6
STEP, WEIGHTS = 1.25, 2.0


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Forward and backward of a cross-entropy, both networks in turn; then the numbers of weights."""
    torch.manual_seed(0)
    learned = network().to(device)
    exact = exact_twin(learned).train()
    x, y = torch.rand(BATCH, 1, SIZE, SIZE, device=device), torch.zeros(BATCH, dtype=torch.long, device=device)
    times = interleaved({"learned": step(learned, x, y), "exact": step(exact, x, y)}, repeats=repeats, device=device)
    weights = [sum(parameter.numel() for parameter in net.parameters()) for net in (learned, exact)]
    return [
        {
            "name": "probabilistic / exact steerable step",
            "ratio": ratio(times, "learned", "exact"),
            "target": STEP,
            "times": times,
        },
        {"name": "probabilistic / exact steerable weights", "ratio": weights[0] / weights[1], "target": WEIGHTS},
    ]


def network() -> nn.Module:
    """Four convolutions of fields up to frequency 2, as for double digits; a likelihood for each."""
    group = O2()
    kinds = [FieldType.irreps(group, {0: 2 * w, (0, 1): w, 1: 2 * w, 2: 2 * w}) for w in (WIDTH, 2 * WIDTH)]
    source, blocks = FieldType.trivial(group, 1), []
    for fields, size, stride, padding in zip((*kinds, kinds[1]), (6, 6, 5), (2, 2, 1), (2, 2, 2), strict=True):
        gate = Gated(fields)
        conv = ProbabilisticSteerableConv(source, gate.in_type, size, stride=stride, padding=padding)
        blocks += [conv, FieldBatchNorm(gate.in_type), gate]
        source = gate.out_type
    last = ProbabilisticSteerableConv(source, FieldType.trivial(group, 48), 5)
    return nn.Sequential(*blocks, last, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, CLASSES))


def step(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], None]:
    """One training step without the optimiser."""

    def once() -> None:
        net.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()

    return once
