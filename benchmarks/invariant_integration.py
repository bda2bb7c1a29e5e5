"""A training step of an invariant network that ends in invariant integration, against one that ends in pooling."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from benchmarks.timing import interleaved, ratio
from learnsym.equivariant import Monomials
from learnsym.groups import Cyclic
from learnsym.nets import InvariantCNN

BATCH, SIZE, FIELDS = 32, 28, 8


def run(device: str, repeats: int) -> dict[str, Any]:
    """p4 networks of four layers on 32x1x28x28, the same but for their ends."""
    torch.manual_seed(0)
    x, y = torch.rand(BATCH, 1, SIZE, SIZE, device=device), torch.arange(BATCH, device=device) % 10
    nets = {
        "monomials": InvariantCNN(Cyclic(4), 1, 10, FIELDS, Monomials).to(device),
        "pooling": InvariantCNN(Cyclic(4), 1, 10, FIELDS).to(device),
    }

    def step(name: str) -> None:
        nn.functional.cross_entropy(nets[name](x), y).backward()

    calls = {name: lambda name=name: step(name) for name in nets}
    times = interleaved(calls, repeats=repeats, device=device)
    return {
        "name": "p4 network with invariant integration / pooling, training step",
        "ratio": ratio(times, "monomials", "pooling"),
        "times": times,
    }
