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

    Each frame needs `energy=` and `Properties=` with `species:S:1`, `pos:R:3` and `forces:R:3`. Units cannot be seen
    from numbers: a frame that declares others in a key such as `units=` or `energy_unit=` is refused.

    Raises:
        ValueError: when a line is malformed, declares other units, or a frame has other atoms or columns than the first
            (names the file, the line, and what was expected); when ASE is not installed.
    """
    reader = ase("io.extxyz")
    frames = read_frames(Path(path))
    lines = [line.text for frame in frames for line in (frame.count, frame.comment, *frame.rows)]
    atoms = list(reader.read_xyz(io.StringIO("\n".join(lines) + "\n"), index=slice(None)))
    return Molecules(
        torch.from_numpy(atoms[0].numbers).long(),
        torch.from_numpy(np.stack([each.positions for each in atoms])),
        torch.tensor([each.get_potential_energy() for each in atoms], dtype=torch.float64),
        torch.from_numpy(np.stack([each.get_forces() for each in atoms])),
    )
