"""Extended xyz, the text format of ASE: molecules with energies and forces.

Larsen et al. (2017), "The atomic simulation environment", J. Phys.: Condens. Matter 29, 273002.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch

from learnsym.data.molecules.configurations import Molecules
from learnsym.data.molecules.frames import ase, read_frames


def read_extxyz(path: Path | str) -> Molecules:
    """The molecules of an extended xyz file, plain or `.gz`: energies in eV, lengths in Angstrom.

    Each frame needs `energy=` and `Properties=` with `species:S:1`, `pos:R:3` and `forces:R:3`. Forces are those of the
    file, also of atoms that `move_mask` holds fixed. Units cannot be seen from numbers: a frame that declares others in
    a key such as `units=` or `energy_unit=` is refused. So is a periodic frame, since atoms of `Molecules` have no
    images: one with `pbc` along any axis, or, as the format has it, with `Lattice` and no `pbc`.

    Raises:
        ValueError: when a line is malformed, declares other units or a periodic cell, or a frame has other atoms or
            columns than the first (names the file, the line, and what was expected); when ASE is not installed.
    """
    reader = ase("io.extxyz")
    frames = read_frames(Path(path))
    lines = [line.text for frame in frames for line in (frame.count, frame.comment, *frame.rows)]
    atoms = list(reader.read_xyz(io.StringIO("\n".join(lines) + "\n"), index=slice(None)))
    for frame, each in zip(frames, atoms, strict=True):
        if each.pbc.any():
            raise frame.comment.wrong('a molecule on its own, pbc="F F F"; periodic cells are not supported')
    return Molecules(
        torch.from_numpy(atoms[0].numbers).long(),
        torch.from_numpy(np.stack([each.positions for each in atoms])),
        torch.tensor([each.get_potential_energy(apply_constraint=False) for each in atoms], dtype=torch.float64),
        torch.from_numpy(np.stack([each.get_forces(apply_constraint=False) for each in atoms])),
    )
