"""Frames of ASE and how they move: positions, cell, momenta, magnetic moments; and what a calculator says of them.

Legend of axes: `N` atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import BaseCalculator

MILLI = 1e3


@dataclass(frozen=True)
class Answer:
    """What a calculator says of one frame, in meV and Å; stress and forces as far as it has them."""

    energy: np.ndarray
    """Of the whole frame, without axes."""
    forces: np.ndarray | None
    """`(N, 3)`."""
    stress: np.ndarray | None
    """`(3, 3)`."""

    def back(self, g: np.ndarray) -> Answer:
        """`g⁻¹` of it."""
        forces = None if self.forces is None else self.forces @ g
        return Answer(self.energy, forces, None if self.stress is None else g.T @ self.stress @ g)


class MovingFrame:
    """A copy of a frame that takes one pose after another, so that a calculator keeps what it may keep.

    A molecule turns about its centroid, a periodic frame about the origin of its cell.
    """

    def __init__(self, frame: Atoms, calculator: BaseCalculator) -> None:
        self.frame, self.atoms = frame, frame.copy()
        self.atoms.set_constraint()
        self.atoms.calc = calculator
        self.has_cell = bool(frame.cell.array.any())
        self.centre = np.zeros(3) if frame.pbc.any() else frame.positions.mean(0)

    def at(self, g: np.ndarray) -> Atoms:
        """The frame moved by a matrix of O(3)."""
        arrays, own = self.atoms.arrays, self.frame.arrays
        arrays["positions"][:] = (own["positions"] - self.centre) @ g.T + self.centre
        if self.has_cell:
            self.atoms.set_cell(self.frame.cell.array @ g.T)
        if "momenta" in own:
            arrays["momenta"][:] = own["momenta"] @ g.T
        if own.get("initial_magmoms", np.empty(0)).ndim == 2:
            arrays["initial_magmoms"][:] = np.linalg.det(g) * own["initial_magmoms"] @ g.T  # axial vectors
        return self.atoms


def answer(atoms: Atoms, has_forces: bool, has_stress: bool) -> Answer:
    """What the calculator of a frame says of it."""
    energy = MILLI * float(atoms.get_potential_energy())
    forces = MILLI * np.asarray(atoms.get_forces(apply_constraint=False), dtype=float) if has_forces else None
    stress = MILLI * np.asarray(atoms.get_stress(voigt=False), dtype=float) if has_stress else None
    found = Answer(np.asarray(energy), forces, stress)
    for name in ("energy", "forces", "stress"):
        value = getattr(found, name)
        if value is not None and not np.isfinite(value).all():
            raise ArithmeticError(f"its {name} is not finite")
    return found


def check_frames(frames: Sequence[Atoms]) -> None:
    """Raise ValueError for no frames, empty ones, and periodic ones whose cell has no volume."""
    if len(frames) == 0:
        raise ValueError("frames: got none; give at least one, such as those of ase.io.read(file, ':')")
    for k, frame in enumerate(frames):
        if not hasattr(frame, "get_potential_energy"):
            raise ValueError(f"frames: frame {k} is a {type(frame).__name__}, must be ase.Atoms; give a list of them")
        if len(frame) == 0:
            raise ValueError(f"frames: frame {k} has no atoms; leave it out")
        lengths = np.linalg.norm(frame.cell.array[frame.pbc], axis=1)
        if not lengths.all() or (frame.pbc.all() and frame.cell.volume <= 1e-6 * lengths.prod()):
            raise ValueError(
                f"frames: frame {k} is periodic (pbc={frame.pbc.tolist()}) with a cell of no volume; set atoms.cell, "
                "or atoms.pbc = False for a molecule"
            )
