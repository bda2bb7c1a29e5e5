"""Extended xyz, the text format of ASE: molecules with energies and forces.

Larsen et al. (2017), "The atomic simulation environment", J. Phys.: Condens. Matter 29, 273002.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from learnsym.data.molecules.configurations import Molecules
from learnsym.data.molecules.frames import Keys, ase, read_frames


def read_extxyz(
    path: Path | str, *, energy: str = "energy", forces: str = "forces", units: str | None = None
) -> Molecules:
    """The molecules of an extended xyz file, plain or `.gz`: energies in eV, lengths in Angstrom.

    Each frame needs `energy=` and `Properties=` with `species:S:1`, `pos:R:3` and `forces:R:3`. Forces are those of the
    file, also of atoms that `move_mask` holds fixed. Units cannot be seen from numbers: they are eV and Angstrom unless
    others are said, and a frame that declares others in a key such as `units=` or `energy_unit=` is refused then. So is
    a periodic frame, since atoms of `Molecules` have no images: one with `pbc` along any axis, or, as the format has
    it, with `Lattice` and no `pbc`.

    Args:
        path: the file.
        energy: key of the energy.
        forces: name of the column of forces.
        units: of energies and of lengths, such as `kcal/mol/Angstrom`: from them the numbers are converted.

    Raises:
        ValueError: when a line is malformed, declares other units or a periodic cell, or a frame has other atoms or
            columns than the first (names the file, the line, and what was expected); when ASE is not installed.
    """
    reader = ase("io.extxyz")
    frames = read_frames(Path(path), Keys(energy, forces), units is not None)
    lines = [line.text for frame in frames for line in (frame.count, frame.comment, *frame.rows)]
    atoms = list(reader.read_xyz(io.StringIO("\n".join(lines) + "\n"), index=slice(None)))
    for frame, each in zip(frames, atoms, strict=True):
        if each.pbc.any():
            raise frame.comment.wrong('a molecule on its own, pbc="F F F"; periodic cells are not supported')
    of_energy, of_length = _factors(units or "eV/Angstrom")
    return Molecules(
        torch.from_numpy(atoms[0].numbers).long(),
        torch.from_numpy(np.stack([of_length * each.positions for each in atoms])),
        torch.tensor([of_energy * _energy(each, energy) for each in atoms], dtype=torch.float64),
        torch.from_numpy(np.stack([of_energy / of_length * _forces(each, forces) for each in atoms])),
    )


def _energy(atoms: Any, key: str) -> float:  # noqa: ANN401  of ASE
    """Of a frame; ASE moves some keys to a calculator."""
    return float(atoms.info[key] if key in atoms.info else atoms.get_potential_energy(apply_constraint=False))


def _forces(atoms: Any, key: str) -> np.ndarray:  # noqa: ANN401
    return atoms.arrays[key] if key in atoms.arrays else atoms.get_forces(apply_constraint=False)


def _factors(units: str) -> tuple[float, float]:
    """By what energies and lengths are multiplied to be in eV and Angstrom."""
    units_of = ase("units")
    energy, _, length = units.rpartition("/")
    energies = {"eV": 1.0, "meV": 1e-3, "Hartree": units_of.Hartree}
    energies |= {"kcal/mol": units_of.kcal / units_of.mol, "kJ/mol": units_of.kJ / units_of.mol}
    return energies[energy], {"Angstrom": 1.0, "nm": units_of.nm, "Bohr": units_of.Bohr}[length]
