"""The rotation check of a potential against its calculator alone: EMT on crystals of 20 atoms, 24 moves of each.

The twin calls the calculator on the same frames in poses that were made before, and keeps nothing. Without ASE there
are no rows. A study of many frames, in time of the processor: `python -m benchmarks.potential --frames 1000`.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
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
    times = interleaved(_ways(0, FRAMES, ORIENTATIONS), repeats=min(repeats, 5), warmup=1, device="cpu")
    return [
        {
            "name": "potential check / bare calculator",
            "ratio": ratio(times, "check", "bare"),
            "target": TARGET,
            "times": times,
        }
    ]


def study(frames: int, orientations: int) -> dict[str, float]:
    """Seconds of the processor of both, each frame once: `FRAMES` of them at a time, in turn and in turning order."""
    seconds = {"check": 0.0, "bare": 0.0}
    for first in range(0, frames, FRAMES):
        ways = _ways(first, min(FRAMES, frames - first), orientations)
        for name in list(ways)[:: 1 if first // FRAMES % 2 else -1]:
            start = time.process_time()
            ways[name]()
            seconds[name] += time.process_time() - start
    return seconds


def _ways(first: int, count: int, orientations: int) -> dict[str, Callable[[], object]]:
    """Both ways for some frames, which their numbers make."""
    from ase.build import bulk
    from ase.calculators.emt import EMT

    crystal = bulk("Cu", cubic=True) * (5, 1, 1)
    frames = [crystal.copy() for _ in range(count)]
    for k, frame in enumerate(frames):
        frame.rattle(0.1, seed=first + k)
    moved = [_posed(frame, orientations) for frame in frames]
    return {
        "check": lambda: potential(EMT(), frames, orientations=orientations),
        "bare": lambda: _bare(EMT(), moved),
    }


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
    parser.add_argument("--frames", type=int, default=1000, help="of 20 atoms each")
    parser.add_argument("--orientations", type=int, default=ORIENTATIONS, help="moves of each frame")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seconds = study(options.frames, options.orientations)
    calls = options.frames * (options.orientations + 1)
    each = "  ".join(f"{name} {1e3 * total / calls:.3f} ms a call" for name, total in seconds.items())
    print(f"{options.frames} frames, {options.orientations} moves: ratio {ratio(seconds, 'check', 'bare'):.3f}; {each}")


if __name__ == "__main__":
    main()
