"""What is to be predicted of molecules: forces, or forces and energies.

Legend of axes: `B` configurations, `N` atoms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointVectors
from learnsym.data.dataset import Dataset
from learnsym.data.molecules.configurations import Molecules

ENERGY = 3
"""Where the energy stands among the numbers of an atom, after its force."""


def of_forces(molecules: Molecules) -> dict[str, Any]:
    """Targets and their types, as fields of a data set: the force on each atom, in eV/Å.

    Raises:
        ValueError: when there are no forces.
    """
    return {"y": molecules.needed_forces().float(), "on_output": PointVectors()}


def of_energies_and_forces(molecules: Molecules) -> dict[str, Any]:
    """Targets `(B, N, 4)` and their types: the force on each atom, in eV/Å, then the energy per atom, in eV.

    Total energies have more digits than float32: the mean of these is taken off, and kept as `energy_reference`.

    Raises:
        ValueError: when there are no energies or no forces.
    """
    if molecules.energies is None:
        raise ValueError("data.energies: there are none; say under which key they are by data.energy, or leave it out")
    per_atom = molecules.energies.double() / len(molecules.numbers)
    reference = float(per_atom.mean())
    everywhere = (per_atom - reference)[:, None, None].expand(-1, len(molecules.numbers), 1)
    y: Float[Tensor, "B N 4"] = torch.cat([molecules.needed_forces().float(), everywhere.float()], -1)
    return {"y": y, "on_output": PointVectors(vectors=1, scalars=1), "energy_reference": reference}


def about_training_mean(splits: dict[str, Dataset]) -> dict[str, Dataset]:
    """The splits with energies less the mean of the training examples, which says nothing of validation and test.

    Those of a molecule differ in what its atoms are only by a constant, so that one number is taken off and no
    reference of each element.
    """
    if splits["train"].energy_reference is None:
        return splits
    of_training = splits["train"].energy_reference + float(splits["train"].y[..., ENERGY].double().mean())
    return {name: _less(split, of_training) for name, split in splits.items()}


def _less(split: Dataset, reference: float) -> Dataset:
    assert split.energy_reference is not None
    y = split.y.clone()
    y[..., ENERGY] -= reference - split.energy_reference
    note = f"energies are per atom, less {reference:.6f} eV, the mean of the training examples"
    return replace(split, y=y, energy_reference=reference, notes=(*split.notes, note))
