"""Configurations of one molecule in an extended xyz file, whose forces, and energies if asked for, are targets."""

from __future__ import annotations

from pathlib import Path

from learnsym.data.molecules.extxyz import molecules_with_forces
from learnsym.data.molecules.targets import of_energies_and_forces, of_forces
from learnsym.data.own.fingerprint import fingerprint
from learnsym.data.own.pools import Found, Pool
from learnsym.data.own.reading import Reading


def read_xyz(path: Path, reading: Reading) -> Found:
    """Clouds of atoms with the species one-hot, and the force on each atom, in eV and Angstrom.

    Raises:
        ValueError: when a line is malformed, a frame has other atoms than the first, or there are no energies that were
            asked for.
    """
    energy, forces = reading.energy or "", reading.forces or ""
    molecules, keys = molecules_with_forces(path, energy, forces, reading.units)
    units = reading.units or "eV/Angstrom, as nothing else was said"
    told = f"{f'energies {keys.energy} and ' if keys.energy else ''}forces {keys.forces} are read in {units}"
    targets = (of_energies_and_forces if reading.energies else of_forces)(molecules)
    atoms = f"{len(molecules)} configurations of {len(molecules.numbers)} atoms"
    return Found(
        pools={"train": Pool(molecules.cloud().float(), targets.pop("y"))},
        ready=True,
        notes=(atoms, told),
        fingerprint=fingerprint([path], path.parent, energy, forces, units),
        also={"on_input": molecules.layout, **targets},
    )
