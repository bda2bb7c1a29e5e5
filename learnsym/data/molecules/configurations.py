"""Molecules: configurations of one molecule with energies and forces.

Legend of axes: `B` configurations, `N` atoms, `S` species.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from learnsym.actions import PointCloud


@dataclass(frozen=True, eq=False)
class Molecules:
    """Configurations of one molecule with their energies and forces, in eV and Angstrom.

    Raises:
        ValueError: when shapes do not fit together.

    Example:
        >>> water = ls.data.molecules.Molecules(
        ...     torch.tensor([8, 1, 1]), torch.rand(5, 3, 3), torch.zeros(5), torch.zeros(5, 3, 3)
        ... )
        >>> water.species, water.cloud().shape, water.layout
        ((1, 8), torch.Size([5, 3, 5]), PointCloud(vectors=0, scalars=2, dim=3))
    """

    numbers: Int[Tensor, " N"]
    """Atomic numbers."""
    positions: Float[Tensor, "B N 3"]
    """In Angstrom."""
    energies: Float[Tensor, " B"] | None
    """In eV; None where there are none."""
    forces: Float[Tensor, "B N 3"] | None
    """In eV / Angstrom: minus the gradients of the energies; None where there are none."""

    def __post_init__(self) -> None:
        count = len(self.positions if self.energies is None else self.energies)
        shape, forces = (count, len(self.numbers), 3), self.positions if self.forces is None else self.forces
        if self.positions.shape != shape or forces.shape != shape:
            raise ValueError(
                f"positions, forces: got shapes {tuple(self.positions.shape)} and {tuple(forces.shape)}, must be "
                f"{shape} for {count} energies of {len(self.numbers)} atoms"
            )

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers that occur, sorted."""
        return tuple(sorted(set(self.numbers.tolist())))

    @property
    def layout(self) -> PointCloud:
        """What an atom of `cloud` carries."""
        return PointCloud(scalars=len(self.species))

    def cloud(self) -> Float[Tensor, "B N F"]:
        """Inputs for a network: positions, then a one-hot vector of the species in the order of `species`."""
        which = self.numbers[:, None] == torch.tensor(self.species)
        return torch.cat([self.positions, which.to(self.positions.dtype).expand(len(self), -1, -1)], -1)

    def subset(self, indices: Tensor) -> Molecules:
        """The configurations at `indices`, in that order."""
        energies, forces = (None if part is None else part[indices] for part in (self.energies, self.forces))
        return Molecules(self.numbers, self.positions[indices], energies, forces)

    def needed_forces(self) -> Float[Tensor, "B N 3"]:
        """The forces.

        Raises:
            ValueError: when there are none.
        """
        if self.forces is None:
            raise ValueError("forces: there are none; give molecules with forces, or say which column they are in")
        return self.forces


class NetLoad(NamedTuple):
    """What all forces together do to a molecule: zero when its energy is the same wherever and however it lies."""

    force: Float64[Tensor, " B"]
    """Length of the sum of forces, eV / Angstrom."""
    torque: Float64[Tensor, " B"]
    """Length of the sum of torques about the centroid, eV."""


def net_load(molecules: Molecules) -> NetLoad:
    """Net force and net torque of each configuration.

    An energy that no motion changes, `E(R x + t) = E(x)`, has `sum_i F_i = 0` (by `t`) and `sum_i x_i × F_i = 0` (by
    `R`): what is left of them is the noise of the computation, a floor for the errors of any exact network.
    """
    x, F = molecules.positions.double(), molecules.needed_forces().double()
    torque = torch.linalg.cross(x - x.mean(1, keepdim=True), F).sum(1)
    return NetLoad(F.sum(1).norm(dim=-1), torque.norm(dim=-1))


def check_invariance(molecules: Molecules, force: float = 1e-3, torque: float = 0.1) -> None:
    """Forces must come from an energy that rigid motions do not change: without an outside field.

    Args:
        molecules: configurations.
        force: the largest net force that is let pass, eV / Angstrom.
        torque: the largest net torque that is let pass, eV.

    Raises:
        ValueError: when a configuration has more.
    """
    for name, unit, values, most in zip(
        NetLoad._fields, ("eV / Angstrom", "eV"), net_load(molecules), (force, torque), strict=True
    ):
        worst = int(values.argmax())
        if values[worst] > most:
            raise ValueError(
                f"forces: configuration {worst} has a net {name} of {float(values[worst]):.3g} {unit}, must be at most "
                f"{most:g} for a molecule on its own; check units and columns, or use a smaller group than E(3)"
            )
