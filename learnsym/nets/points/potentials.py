"""Interatomic potentials: networks of points that answer with the forces on atoms and the energy per atom.

Legend of axes: `B` clouds, `N` atoms, `F` numbers per atom.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointVectors
from learnsym.nets.points.energy import Energy
from learnsym.ragged import Ragged


class DirectPotential(nn.Module):
    """A network that predicts forces beside an energy, of which they need not be the gradient.

    The energy per atom is the mean over atoms of the last scalar that the network predicts, `E / N = mean_i s_i`.

    Args:
        net: a network of points that predicts one vector and one scalar, `DirectPotential.predicts`.

    Returns:
        From clouds `(B, N, F)`, or `Ragged` ones, `(B, N, 4)`: the force on each atom, then the energy of the whole
        cloud divided by its number of atoms, the same at each.

    Example:
        >>> net = ls.nets.points.EGNN(ls.actions.PointCloud(scalars=2), ls.nets.points.DirectPotential.predicts)
        >>> ls.nets.points.DirectPotential(net)(torch.randn(2, 5, 5)).shape
        torch.Size([2, 5, 4])
    """

    predicts: ClassVar[PointVectors] = PointVectors(vectors=1, scalars=1)
    """What the network is to predict."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.group = getattr(net, "group", None)

    def forward(self, x: Float[Tensor, "B N F"] | Ragged) -> Float[Tensor, "B N 4"]:
        y = self.net(x)
        return _at_atoms(x, y[..., :3], y[..., -1].sum(1))


class ConservativePotential(nn.Module):
    """A network that predicts an energy, and forces that are minus its gradient: `F_i = -∂E/∂x_i`, see `Energy`.

    Args:
        net: a network of points that predicts one scalar, `ConservativePotential.predicts`.

    Returns:
        From clouds `(B, N, F)`, or `Ragged` ones, `(B, N, 4)`: the force on each atom, then the energy of the whole
        cloud divided by its number of atoms, the same at each.

    Example:
        >>> net = ls.nets.points.EGNN(ls.actions.PointCloud(scalars=2), ls.nets.points.ConservativePotential.predicts)
        >>> forces = ls.nets.points.ConservativePotential(net)(torch.randn(2, 5, 5))[..., :3]
        >>> bool(forces.sum(1).abs().max() < 1e-6)  # an energy that no translation changes has no net force
        True
    """

    predicts: ClassVar[PointVectors] = PointVectors(vectors=0, scalars=1)
    """What the network is to predict."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.energy = Energy(net)
        self.group = self.energy.group

    def forward(self, x: Float[Tensor, "B N F"] | Ragged) -> Float[Tensor, "B N 4"]:
        energies, forces = self.energy.with_forces(x)
        return _at_atoms(x, forces, energies)


def _at_atoms(
    x: Float[Tensor, "B N F"] | Ragged, forces: Float[Tensor, "B N 3"], energies: Float[Tensor, "B"]
) -> Float[Tensor, "B N 4"]:
    """Forces, and energies divided by numbers of atoms; padding gets none."""
    present = torch.ones_like(forces[..., :1]) if isinstance(x, Tensor) else x.mask.unsqueeze(-1).to(forces)
    per_atom = energies[:, None, None] / present.sum(1, keepdim=True) * present
    return torch.cat([forces, per_atom], -1)


potentials: dict[str, type[DirectPotential] | type[ConservativePotential]] = {
    "direct": DirectPotential,
    "conservative": ConservativePotential,
}
"""By how forces come about."""
