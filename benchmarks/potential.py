"""The rotation check of a potential against its calculator alone: EMT on crystals of 20 atoms, 24 moves of each.

The twin calls the calculator on the same frames in poses that were made before, and keeps nothing. Without ASE there
are no rows.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch

from benchmarks.timing import interleaved, ratio
from learnsym.groups import O3
from learnsym.measure import potential

FRAMES, ORIENTATIONS, TARGET = 20, 24, 1.05


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Time of both; the calculator runs on the CPU."""
    if importlib.util.find_spec("ase") is None:
        return []
    from ase.build import bulk
    from ase.calculators.emt import EMT

    crystal = bulk("Cu", cubic=True) * (5, 1, 1)
    frames = [crystal.copy() for _ in range(FRAMES)]
    for k, frame in enumerate(frames):
        frame.rattle(0.1, seed=k)
    moved = [_posed(frame) for frame in frames]
    ways = {
        "check": lambda: potential(EMT(), frames, orientations=ORIENTATIONS),
        "bare": lambda: _bare(EMT(), moved),
    }
    times = interleaved(ways, repeats=min(repeats, 5), warmup=1, device="cpu")
    return [
        {
            "name": "potential check / bare calculator",
            "ratio": ratio(times, "check", "bare"),
            "target": TARGET,
            "times": times,
        }
    ]


def _posed(frame):
    """One copy that is put into each pose, as anybody who calls a calculator in a loop would have it."""
    moves = O3().haar(ORIENTATIONS + 1, dtype=torch.float64).numpy()
    poses = [(frame.positions @ g.T, frame.cell.array @ g.T) for g in moves]
    return frame.copy(), poses


def _bare(calculator, moved) -> None:
    for atoms, poses in moved:
        atoms.calc = calculator
        for positions, cell in poses:
            atoms.positions[:] = positions
            atoms.set_cell(cell)
            atoms.get_potential_energy()
            atoms.get_forces()
            atoms.get_stress()
