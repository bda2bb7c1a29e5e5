"""A training step with the projection penalty against one without, and one with a sampled penalty; batch 64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.timing import interleaved, ratio
from learnsym import nets, symmetry_by_name
from learnsym.equivariant import SteerableConv
from learnsym.groups import Cyclic
from learnsym.objectives import Candidate, Objective, Regularised, Remul, Supervised
from learnsym.objectives.terms import ProjectionPenalty
from learnsym.relax import ProjectedLayer

BATCH, WIDTH = 64, 4
TARGET = 1.05


def run(device: str, repeats: int) -> Iterator[dict[str, Any]]:
    """One network and optimiser for all penalties."""
    torch.manual_seed(0)
    net = nets.SteerableCNN(Cyclic(4), 1, 10, width=WIDTH, size=33, conv=_layer).to(device)
    batch = torch.rand(BATCH, 1, 28, 28, device=device), torch.arange(BATCH, device=device) % 10
    task, sampled = Supervised(cross_entropy), Candidate(symmetry=symmetry_by_name("rotation2d"))
    projection = ProjectionPenalty(0.1)
    steps = {
        "none": step(net, task, batch),
        "projection": step(net, Regularised(task, [projection]), batch),
        "sampled": step(net, Remul(cross_entropy, sampled, terms=[ProjectionPenalty(0.0)]), batch),
    }
    times = interleaved(steps, repeats=repeats, device=device)
    for name, target in (("projection", TARGET), ("sampled", None)):
        row = {"name": f"step with {name} penalty / without", "ratio": ratio(times, name, "none"), "times": times}
        yield row if target is None else {**row, "target": target}


def _layer(*types: Any, **options: Any) -> nn.Module:
    return ProjectedLayer(SteerableConv(*types, **options))


def step(net: nn.Module, objective: Objective, batch: tuple[torch.Tensor, torch.Tensor]) -> Callable[[], None]:
    """One update."""
    optimiser = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=1e-3)

    def update() -> None:
        optimiser.zero_grad(set_to_none=True)
        objective(net, batch).total.backward()
        optimiser.step()

    return update
