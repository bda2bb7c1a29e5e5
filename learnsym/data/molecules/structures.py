"""Molecules and crystals of any composition, in one batch.

Legend of axes: `B` structures.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from learnsym.ragged import Ragged


@dataclass(frozen=True, eq=False)
class Structures:
    """Structures of different sizes and elements, in eV and Angstrom.

    Raises:
        ValueError: when numbers of structures differ, or atoms have no atomic numbers.

    Example:
        >>> numbers = [torch.tensor([8, 1, 1]), torch.tensor([2])]
        >>> atoms = ls.data.Ragged.of([torch.rand(3, 3), torch.rand(1, 3)], numbers)
        >>> len(ls.data.molecules.Structures(atoms, torch.zeros(2)))
        2
    """

    atoms: Ragged
    """Positions with atomic numbers."""
    energies: Float[Tensor, "B"] | None = None
    """In eV; None where there are none, as for all of the following."""
    forces: Ragged | None = None
    """In eV / Angstrom."""
    cells: Float[Tensor, "B 3 3"] | None = None
    """Lattice vectors as rows; 0 for molecules among crystals."""
    charges: Float[Tensor, "B"] | None = None
    """Of whole structures."""

    def __post_init__(self) -> None:
        if self.atoms.numbers is None:
            raise ValueError(
                "atoms: have no numbers, must have the atomic number of each; give Ragged(x, mask, numbers)"
            )
        for name in ("energies", "forces", "cells", "charges"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.atoms):
                raise ValueError(f"{name}: got {len(value)} for {len(self.atoms)} structures, must be one each")

    def __len__(self) -> int:
        return len(self.atoms)
