"""Charged bodies, all trajectories at once, against the loop over one trajectory: 100 steps, seconds per trajectory."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.timing import interleaved, ratio
from learnsym.data.dynamics import ChargedSystem
from tests.reference import nbody_loop

BODIES = {5: 1500, 20: 384}
"""Bodies, and trajectories at once."""
STEPS = 100
TARGETS = {5: 1 / 50, 20: 1.0}


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """One row per number of bodies; the loop always runs on the CPU."""
    return [_row(bodies, count, device, repeats) for bodies, count in BODIES.items()]


def _row(bodies: int, count: int, device: str, repeats: int) -> dict[str, Any]:
    system = ChargedSystem(bodies=bodies)
    x = system.initial(count, device=device)
    first = x[0].cpu().numpy()
    pull = nbody_loop.charged(first[:, 6])
    ways = {
        "all at once": lambda: system.advance(x, STEPS),
        "loop": lambda: nbody_loop.march(first[:, :3], first[:, 3:6], pull, STEPS),
    }
    with torch.no_grad():
        times = interleaved(ways, repeats=repeats, warmup=1, device=device)
    times["all at once"] /= count
    return {
        "name": f"{bodies} charged bodies / loop, per trajectory",
        "ratio": ratio(times, "all at once", "loop"),
        "target": TARGETS[bodies],
        "times": times,
    }
