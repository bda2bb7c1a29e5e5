"""The rotation check of a potential against its calculator alone: EMT on crystals of 20 atoms, 24 moves of each.

The twin calls the calculator on the same frames in poses that were made before, and keeps nothing. Without ASE there
are no rows. A study of 1,000 frames: `python -m benchmarks.potential --frames 1000 --repeats 3`.
"""

from __future__ import annotations

import argparse
import importlib.util
from typing import Any

import torch

from benchmarks.timing import interleaved, ratio
from learnsym.groups import O3
from learnsym.measure import potential

FRAMES, ORIENTATIONS, TARGET = 20, 24, 1.05


def run(device: str, repeats: int, frames: int = FRAMES, orientations: int = ORIENTATIONS) -> list[dict[str, Any]]:
    """Time of both; the calculator runs on the CPU."""
    if importlib.util.find_spec("ase") is None:
        return []
    from ase.build import bulk
    from ase.calculators.emt import EMT

    crystal = bulk("Cu", cubic=True) * (5, 1, 1)
    rattled = [crystal.copy() for _ in range(frames)]
    for k, frame in enumerate(rattled):
        frame.rattle(0.1, seed=k)
    moved = [_posed(frame, orientations) for frame in rattled]
    ways = {
        "check": lambda: potential(EMT(), rattled, orientations=orientations),
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


def _posed(frame, orientations):
    """One copy that is put into each pose, as anybody who calls a calculator in a loop would have it."""
    moves = O3().haar(orientations + 1, dtype=torch.float64).numpy()
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


def main() -> None:
    """The ratio at any size."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES, help="of 20 atoms each")
    parser.add_argument("--orientations", type=int, default=ORIENTATIONS, help="moves of each frame")
    parser.add_argument("--repeats", type=int, default=5, help="measured calls of each side, at most 5; medians count")
    options = parser.parse_args()
    (row,) = run("cpu", options.repeats, options.frames, options.orientations)
    times = "  ".join(f"{name} {seconds:.1f} s" for name, seconds in row["times"].items())
    print(f"{options.frames} frames, {options.orientations} moves: ratio {row['ratio']:.3f}  {times}")


if __name__ == "__main__":
    main()
