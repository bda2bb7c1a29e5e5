"""The rotation check of interatomic potentials.

Legend of axes: `B` frames, `S` moves of each.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from tqdm.auto import tqdm

from learnsym.groups import O3
from learnsym.measure.potential.errors import PotentialErrors
from learnsym.measure.potential.moved import Answer, MovingFrame, answer, check_frames
from learnsym.measure.potential.summary import FrameErrors, errors_of_frame, net_load, summarised
from learnsym.statistics import Estimate

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import BaseCalculator

logger = logging.getLogger(__name__)


def potential(
    calculator: BaseCalculator,
    frames: Sequence[Atoms],
    *,
    orientations: int = 24,
    seed: int = 0,
) -> PotentialErrors:
    """How far a potential is from rotations and reflections: energies, forces and stress of frames that are moved.

    Every frame is moved by `S` elements of O(3), its cell with it, and what the calculator says is moved back: for an
    exact potential energies stay, `E(g·x) = E(x)`, and forces and stress turn, `F(g·x) = R F(x)`, `σ(g·x) = R σ(x) Rᵀ`.
    Elements are independent draws for each frame, the same for the same seed. Velocities and magnetic moments move,
    too; other arrays of atoms, and what a calculator keeps for itself, do not.

    For independent orientations and errors that are normal, two orientations differ by 1.13 times the spread on
    average, and by 1.41 times in the root mean square: what checks of pairs of orientations report.

    Args:
        calculator: any calculator of ASE.
        frames: molecules and crystals; of different sizes and elements, if the calculator takes them.
        orientations: number `S` of moves of each frame.
        seed: of the moves.

    Returns:
        Errors with standard errors over frames, the largest, their irreps, net forces, and time. A frame on which the
        calculator fails is named there and in a warning, and left out.

    Raises:
        ValueError: for no frames, a periodic one whose cell has no volume, fewer than 3 orientations, or when the
            calculator fails on every frame.

    Example:
        >>> from ase.build import bulk
        >>> from ase.calculators.emt import EMT
        >>> copper = bulk("Cu", cubic=True)
        >>> copper.rattle(0.1)
        >>> found = ls.measure.potential(EMT(), [copper], orientations=6)
        >>> found.energy.is_exact, found.forces.is_exact, list(found.quantities)
        (True, True, ['energy', 'forces', 'stress'])
    """
    check_frames(frames)
    if orientations < 3:
        raise ValueError(f"orientations: got {orientations}, must be >= 3; 24 is usual")
    if not callable(getattr(calculator, "get_property", None)):
        raise ValueError(f"calculator: got {type(calculator).__name__}, must be a calculator of ASE; make one of it")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        moves = O3().haar(len(frames), orientations, dtype=torch.float64).numpy()
    found: dict[int, FrameErrors] = {}
    loads: list[tuple[float, float]] = []
    failures: dict[int, str] = {}
    clock = _Clock()
    for k, frame in enumerate(tqdm(frames, desc="frames", disable=None)):
        try:
            first, others = _answers(calculator, frame, moves[k], clock)
        except Exception as error:  # a frame that cannot be computed is named, the others go on
            failures[k] = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            continue
        found[k] = errors_of_frame(first, others, moves[k], len(frame))
        loads.append(net_load(frame, first))
    if not found:
        raise ValueError(f"calculator: fails on every frame, first with {failures[0]}; try it on one frame alone")
    for k, why in failures.items():
        logger.warning("calculator: fails on frame %d, which is left out (%s)", k, why)
    force, torque = np.array(loads).T
    return PotentialErrors(
        orientations=orientations,
        frames=torch.tensor(list(found)),
        quantities=summarised(found),
        net_force=_over_frames(force),
        net_torque=_over_frames(torque),
        seconds=clock.seconds / clock.calls,
        calls=clock.calls,
        failures=failures,
    )


class _Clock:
    """Time spent in a calculator."""

    seconds, calls = 0.0, 0

    def timed(self, atoms: Atoms, has_forces: bool, has_stress: bool) -> Answer:
        start = time.perf_counter()
        found = answer(atoms, has_forces, has_stress)
        self.seconds += time.perf_counter() - start
        self.calls += 1
        return found


def _answers(calculator: BaseCalculator, frame: Atoms, moves: np.ndarray, clock: _Clock) -> tuple[Answer, list[Answer]]:
    """Of the frame as it is, and of the moved ones, moved back."""
    moving = MovingFrame(frame, calculator)
    has = set(getattr(calculator, "implemented_properties", ()))
    has_forces, has_stress = "forces" in has, "stress" in has and bool(frame.pbc.all())
    first = clock.timed(moving.at(np.eye(3)), has_forces, has_stress)
    return first, [clock.timed(moving.at(g), has_forces, has_stress).back(g) for g in moves]


def _over_frames(values: np.ndarray) -> Estimate | None:
    values = values[np.isfinite(values)]
    return Estimate.of(torch.from_numpy(values)) if len(values) else None
