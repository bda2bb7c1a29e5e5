"""A train step of the autoencoder with equivariant subsampling against its plain twin: batch 4 of 3x64x64, Adam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.timing import clock_of, for_each, interleaved, operations, ratio
from learnsym._freed_memory import freed_memory_is_kept
from learnsym.groups import Cyclic, Dihedral
from learnsym.nets import ConvAutoencoder, GroupAutoencoder

BATCH, SIZE = 4, 64
TARGETS = {"p1": None, "p4": None, "p4m": 4.5}
GROUPS = {"p1": (Cyclic(1), 32), "p4": (Cyclic(4), 20), "p4m": (Dihedral(4), 14)}
"""With widths that give the parameters of the plain twin, 361,923, to 5 %."""


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """All in turn; the public code takes 22 times its plain twin for p4m."""
    torch.manual_seed(0)
    x = torch.rand(BATCH, 3, SIZE, SIZE, device=device)
    nets: dict[str, nn.Module] = {"plain": ConvAutoencoder(SIZE)}
    nets |= {name: GroupAutoencoder(group, SIZE, width=width) for name, (group, width) in GROUPS.items()}
    steps = {name: step(net.to(device), x) for name, net in nets.items()}
    with freed_memory_is_kept():  # as in training
        times = interleaved(steps, repeats=repeats, device=device, clock=clock_of(device))
    counts = {name: operations(update) for name, update in steps.items()}
    return [
        {
            "name": f"autoencoder {name} / plain, train step",
            "note": for_each(counts[name] / counts["plain"], ratio(times, name, "plain")),
            "ratio": ratio(times, name, "plain"),
            "target": TARGETS[name],
            "times": {key: times[key] for key in (name, "plain")},
        }
        for name in GROUPS
    ]


def step(net: nn.Module, x: torch.Tensor) -> Callable[[], None]:
    """One update of all weights."""
    optimiser = torch.optim.Adam(net.parameters(), 1e-4)

    def update() -> None:
        optimiser.zero_grad()
        (net(x) - x).square().mean().backward()
        optimiser.step()

    return update
