"""Extended xyz, the text format of ASE: structures with energies and forces.

Larsen et al. (2017), "The atomic simulation environment", J. Phys.: Condens. Matter 29, 273002.
"""

from __future__ import annotations

import io
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from learnsym.data.molecules.configurations import Molecules
from learnsym.data.molecules.frames import Frame, ase, read_frames
from learnsym.data.molecules.keys import Keys, keys_of
from learnsym.data.molecules.structures import Structures
from learnsym.data.molecules.units import Units
from learnsym.ragged import Ragged

if TYPE_CHECKING:
    from ase import Atoms


def read_extxyz(path: Path | str, *, energy: str = "", forces: str = "", units: str | None = None) -> Molecules:
    """The configurations of one molecule in an extended xyz file, see `read_structures` for its names and units.

    A periodic frame is refused, since atoms of `Molecules` have no images: one with `pbc` along any axis, or, as the
    format has it, with `Lattice` and no `pbc`.

    Raises:
        ValueError: as `read_structures`; and for a periodic cell, or a frame of other atoms than the first.
    """
    frames, keys = _read(path, energy, forces, units)
    return _molecules(frames, keys, units)


def molecules_with_forces(path: Path | str, energy: str, forces: str, units: str | None) -> tuple[Molecules, Keys]:
    """As `read_extxyz`, with the names that were found; without forces an error."""
    frames, keys = _read(path, energy, forces, units)
    if keys.forces is None:
        columns = ", ".join(column.name for column in frames[0].columns)
        raise frames[0].comment.wrong(f"`Properties=` with forces:R:3; it has {columns}: say which, by data.forces")
    return _molecules(frames, keys, units), keys


def _molecules(frames: list[Frame], keys: Keys, units: str | None) -> Molecules:
    for frame in frames[1:]:
        _check_like(frame, frames[0])
    atoms = [_atoms(frame, keys, units) for frame in frames]
    for frame, each in zip(frames, atoms, strict=True):
        if each.pbc.any():
            raise frame.comment.wrong(
                'a molecule on its own, pbc="F F F"; crystals are read by read_structures, and trained on in Python, '
                "see actions.Cell"
            )
    return Molecules(
        torch.from_numpy(atoms[0].numbers).long(),
        torch.from_numpy(np.stack([each.positions for each in atoms])),
        None if keys.energy is None else torch.tensor([_energy(each) for each in atoms], dtype=torch.float64),
        None if keys.forces is None else torch.from_numpy(np.stack([_forces(each) for each in atoms])),
    )


def read_structures(path: Path | str, *, energy: str = "", forces: str = "", units: str | None = None) -> Structures:
    """Molecules and crystals of any composition in an extended xyz file: energies in eV, lengths in Angstrom.

    Energies and forces may be missing. Their names are found where there is no doubt, such as `REF_energy` or
    `dft_forces`. Units cannot be seen from numbers: they are eV and Angstrom unless others are said, and a frame that
    declares others in a key such as `units=` is refused then. Forces are those of the file, also of atoms that
    `move_mask` holds fixed.

    Args:
        path: the file, plain or `.gz`.
        energy: key of the energy in comments; that of the file when empty.
        forces: name of the column of forces; that of the file when empty.
        units: of energies and of lengths, such as `kcal/mol/Angstrom`: from them the numbers are converted.

    Raises:
        ValueError: when a line is malformed or declares other units, names are in doubt, or a frame has not what the
            others have (names the file, the line, and what was expected); when ASE is not installed.
    """
    frames, keys = _read(path, energy, forces, units)
    atoms = [_atoms(frame, keys, units) for frame in frames]
    positions = [torch.from_numpy(each.positions) for each in atoms]
    charges = [_charge(frame) for frame in frames]
    cells = torch.from_numpy(np.stack([each.cell.array for each in atoms]))
    return Structures(
        Ragged.of(positions, [torch.from_numpy(each.numbers).long() for each in atoms]),
        None if keys.energy is None else torch.tensor([_energy(each) for each in atoms], dtype=torch.float64),
        None if keys.forces is None else Ragged.of([torch.from_numpy(_forces(each)) for each in atoms]),
        cells if any(each.pbc.any() for each in atoms) else None,
        torch.tensor(charges, dtype=torch.float64) if any(charges) else None,
    )


def read_atoms(path: Path | str, *, units: str | None = None) -> list[Atoms]:
    """The structures of an extended xyz file as ASE has them, in Angstrom, without energies and forces.

    Raises:
        ValueError: when a line is malformed, or declares other units than were said; when ASE is not installed.
    """
    frames = read_frames(Path(path), units is not None)
    return [_atoms(frame, Keys(None, None), units) for frame in frames]


def _read(path: Path | str, energy: str, forces: str, units: str | None) -> tuple[list[Frame], Keys]:
    path = Path(path)
    frames = read_frames(path, units is not None)
    return frames, keys_of(path, frames, energy, forces)


def _atoms(frame: Frame, keys: Keys, units: str | None) -> Atoms:
    """A frame in eV and Angstrom."""
    try:
        atoms: Atoms = next(ase("io.extxyz").read_xyz(io.StringIO(frame.text), index=slice(None)))
    except Exception as error:
        raise frame.comment.wrong(f"a frame that ASE reads ({error})") from error
    energy = None if keys.energy is None else float(frame.values[keys.energy])  # type: ignore[arg-type]
    found = atoms.arrays.pop(keys.forces, None) if keys.forces else None
    if keys.forces and found is None:  # ASE takes the usual names for results of a calculator
        found = atoms.get_forces(apply_constraint=False)
    scale = Units.of(units or "eV/Angstrom")
    results = {"energy": energy and energy * scale.energy, "forces": found}
    if found is not None:
        results["forces"] = found * scale.energy / scale.length
    atoms.set_cell(atoms.cell.array * scale.length, scale_atoms=False)
    atoms.positions *= scale.length
    given = {name: value for name, value in results.items() if value is not None}
    atoms.calc = ase("calculators.singlepoint").SinglePointCalculator(atoms, **given) if given else None
    return atoms


def _energy(atoms: Atoms) -> float:
    return atoms.get_potential_energy(apply_constraint=False)


def _forces(atoms: Atoms) -> np.ndarray:
    return atoms.get_forces(apply_constraint=False)


def _charge(frame: Frame) -> float:
    value = next((frame.values[key] for key in ("charge", "total_charge") if key in frame.values), 0)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise frame.comment.wrong(f"`charge=` and a number, not {value}")
    return float(value)


def _check_like(frame: Frame, first: Frame) -> None:
    remedy = "split the file, one file per kind of molecule, or read it by read_structures"
    if len(frame.rows) != len(first.rows):
        raise frame.count.wrong(f"{len(first.rows)} atoms as in the first frame; {remedy}")
    for row, element, known in zip(frame.rows, frame.elements, first.elements, strict=True):
        if element != known:
            raise row.wrong(f"{known!r} as in the first frame; {remedy}")
