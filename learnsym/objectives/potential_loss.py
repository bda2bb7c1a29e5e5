"""The loss of interatomic potentials: squared errors of energies per atom and of forces, with one weight between them.

Legend of axes: `B` structures, `N` atoms.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

ENERGY_WEIGHT = 1.0
"""In Å²: an error of 1 meV/atom counts as one of 1 meV/Å."""
MILLI = 1e3


@dataclass(frozen=True)
class PotentialLoss:
    """Mean squared error of forces, plus a weight times that of energies per atom.

        L = mean_{b,i,k} (F_bik - F'_bik)² + w · mean_b (e_b - e'_b)²

    with `k` over x, y, z, and `e_b` the mean over the atoms of what stands beside their forces: of a network that
    predicts shares of the energy, and of one that predicts the energy per atom at each.

    Args:
        energy_weight: `w`, in Å² for forces in eV/Å and energies per atom in eV.

    Example:
        >>> loss = ls.objectives.PotentialLoss(energy_weight=100.0)
        >>> loss(torch.tensor([[[0.1, 0.0, 0.0, 0.02]]]), torch.zeros(1, 1, 4))  # 0.01 / 3 + 100 · 0.0004
        tensor(0.0433)
    """

    energy_weight: float = ENERGY_WEIGHT

    def __call__(self, outputs: Float[Tensor, "B *outputs"], targets: Float[Tensor, "B *targets"]) -> Float[Tensor, ""]:
        return self.of_each(outputs, targets).mean()

    def of_each(self, outputs: Float[Tensor, "B *outputs"], targets: Float[Tensor, "B *targets"]) -> Float[Tensor, "B"]:
        """The loss of each structure.

        Raises:
            ValueError: when outputs or targets are no forces and energies of the same atoms.
        """
        force, energy = _errors(outputs, targets)
        return force.square().mean((1, 2)) + self.energy_weight * energy.square()


def potential_errors(
    outputs: Float[Tensor, "B *outputs"], targets: Float[Tensor, "B *targets"]
) -> dict[str, Float[Tensor, "B"]]:
    """Mean absolute errors of each structure, by name with unit: of components of forces, and of energies per atom.

    Example:
        >>> errors = ls.objectives.potential_errors(torch.tensor([[[0.3, 0.0, 0.0, 0.02]]]), torch.zeros(1, 1, 4))
        >>> {name: round(float(value), 6) for name, value in errors.items()}
        {'energy_mae_meV_per_atom': 20.0, 'force_mae_meV_per_angstrom': 100.0}
    """
    force, energy = _errors(outputs, targets)
    return {
        "energy_mae_meV_per_atom": MILLI * energy.abs(),
        "force_mae_meV_per_angstrom": MILLI * force.abs().mean((1, 2)),
    }


def _errors(outputs: Tensor, targets: Tensor) -> tuple[Float[Tensor, "B N 3"], Float[Tensor, "B"]]:
    if outputs.shape != targets.shape or outputs.dim() != 3 or outputs.shape[-1] != 4:
        raise ValueError(
            f"outputs: got shape {tuple(outputs.shape)} for targets {tuple(targets.shape)}, both must be (B, N, 4): "
            "the force on each atom, then the energy per atom; clouds of several sizes are not taken"
        )
    difference = outputs - targets
    return difference[..., :3], difference[..., 3].mean(1)
