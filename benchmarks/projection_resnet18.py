"""A training step of ResNet-18 with the projection penalty against one without; 64 images of 32 x 32 pixels.

Every convolution is projected onto the group C_4, 11 million weights. On a CPU it is time of the processor.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.projection_penalty import BATCH, TARGET, step
from benchmarks.timing import clock_of, interleaved, ratio
from learnsym.equivariant import FieldType, GlobalAveragePool, GroupConv2d, InvariantPool, Sequential
from learnsym.groups import Cyclic
from learnsym.nets.wide_resnet import wide_block
from learnsym.objectives import Regularised, Supervised
from learnsym.objectives.terms import ProjectionPenalty
from learnsym.relax import ProjectedLayer

CHANNELS, BLOCKS = (64, 64, 128, 256, 512), 2
"""Of the stem and four stages, with strides of 2 before the last three."""


def run(device: str, repeats: int) -> dict[str, Any]:
    """One row; a step takes seconds of a CPU, so that few repeats must do."""
    torch.manual_seed(0)
    net = resnet18().to(device)
    batch = torch.rand(BATCH, 3, 32, 32, device=device), torch.arange(BATCH, device=device) % 10
    task = Supervised(cross_entropy)
    steps = {
        "none": step(net, task, batch),
        "projection": step(net, Regularised(task, [ProjectionPenalty(0.1)]), batch),
    }
    clock = clock_of(device)
    times = interleaved(steps, repeats=min(repeats, 5), warmup=1, device=device, clock=clock)
    name = "step of ResNet-18 with projection penalty / without"
    return {"name": name, "ratio": ratio(times, "projection", "none"), "target": TARGET, "times": times}


def resnet18() -> nn.Module:
    """A residual network with the channels and blocks of ResNet-18, whose ordinary convolutions know P for C_4."""
    image, *stages = FieldType.trivial(Cyclic(4), 3), *(FieldType.regular(Cyclic(4), c // 4) for c in CHANNELS)
    layers: list[Any] = [_projected(image, stages[0])]
    for number, (source, target) in enumerate(itertools.pairwise(stages)):
        layers.append(wide_block(_projected, source, target, stride=2 if number else 1, dropout=0.0))
        layers += [wide_block(_projected, target, target, stride=1, dropout=0.0) for _ in range(BLOCKS - 1)]
    pool = InvariantPool(stages[-1])
    layers += [pool, GlobalAveragePool(pool.out_type)]
    return nn.Sequential(Sequential(*layers), nn.Linear(pool.out_type.size, 10))


def _projected(
    source: FieldType, target: FieldType, kernel_size: int = 3, padding: int = 1, stride: int = 1
) -> ProjectedLayer:
    return ProjectedLayer(GroupConv2d(source, target, kernel_size, padding=padding, stride=stride, bias=False))
