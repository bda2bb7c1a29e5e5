"""What is said about data of one's own, beside where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["table", "nhw", "nhwc", "nchw", "ndhw", "ndhwc", "ncdhw", "cloud"]
"""n examples, c channels, d slices, h rows, w columns. `table`: (n, numbers); `cloud`: (n, points, numbers)."""
Targets = Literal["labels", "names", "numbers"]
"""`labels`: classes numbered from 0. `names`: each distinct value is a class. `numbers`: a regression."""
Units = Literal["eV/Angstrom", "meV/Angstrom", "kcal/mol/Angstrom", "kJ/mol/Angstrom", "kJ/mol/nm", "Hartree/Bohr"]
"""Unit of energies / unit of lengths."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How files and objects of one's own are read; what is left empty is told from them, which is said."""

    layout: Layout | None = None
    """Order of the axes of arrays."""
    ask: bool = True
    """Whether an order that sizes do not tell is asked for; the axes are left as they are otherwise, which is said."""
    x: str = ""
    """Name of the array of inputs, or of the column of paths."""
    y: str = ""
    """Name of the array of targets, or of the column of labels."""
    targets: Targets | None = None
    """What the targets are."""
    moves: str = ""
    """Which of several inputs a symmetry moves."""
    size: int | None = None
    """Side that images of mixed sizes get."""
    energy: str = ""
    """Key of the energy of a molecule."""
    forces: str = ""
    """Key of the forces on its atoms."""
    energies: bool = False
    """Whether the energies of molecules are targets, too."""
    units: Units | None = None
    """Units of the file."""
