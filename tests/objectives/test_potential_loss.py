"""Energies and forces in one loss: round numbers by hand, penalties in its scale, shapes that fit nothing."""

from __future__ import annotations

import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors
from learnsym.objectives import LossConfig, PotentialLoss, Supervised, bank, potential_errors
from learnsym.objectives.choosers import ConstantWeights
from learnsym.ragged import Ragged

ATOMS = PointCloud(scalars=1)
O3 = ls.Symmetry(ls.groups.O3(), ATOMS, PointVectors(vectors=1, scalars=1))


def answers():
    """Two structures of two atoms: forces off by 3 and 4 in one atom, energies off by 2 and by 1 and 3."""
    outputs, targets = torch.zeros(2, 2, 4), torch.zeros(2, 2, 4)
    outputs[0, 0, :2] = torch.tensor([3.0, -4.0])
    outputs[0, :, 3] = 2.0
    outputs[1, :, 3] = torch.tensor([1.0, 3.0])
    return outputs, targets


def test_the_loss_by_hand():
    outputs, targets = answers()
    # forces: 25 over 2 structures, 2 atoms, 3 components; energies: 2 and the mean of 1 and 3
    assert PotentialLoss(energy_weight=10.0)(outputs, targets) == pytest.approx(25 / 12 + 10 * (4 + 4) / 2)
    assert PotentialLoss(energy_weight=0.0).of_each(outputs, targets).tolist() == pytest.approx([25 / 6, 0])


def test_errors_by_hand():
    errors = potential_errors(*answers())
    assert errors["energy_mae_meV_per_atom"].tolist() == [2000, 2000]
    assert errors["force_mae_meV_per_angstrom"].tolist() == pytest.approx([7000 / 6, 0])


def test_settings_reach_the_loss():
    assert LossConfig(name="potential").function() == PotentialLoss(1.0)
    assert LossConfig(name="potential", energy_weight=0.0).function() == PotentialLoss(0.0)
    with pytest.raises(ValueError, match=r"loss\.energy_weight: got 1\.0 with the loss mse"):
        LossConfig(name="mse", energy_weight=1.0)


class Crooked(torch.nn.Module):
    """An exact potential whose energy per atom, or force, knows of the x axis, too."""

    def __init__(self, of_energy: bool) -> None:
        super().__init__()
        self.of_energy = of_energy
        self.size = torch.nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x):
        positions = x[..., :3] - x[..., :3].mean(1, keepdim=True)
        energy = positions.square().sum((1, 2), keepdim=True).expand(-1, x.shape[1], 1)
        crooked = self.size * positions[:, :1, :1]
        if self.of_energy:
            return torch.cat([positions, energy + crooked], -1)
        return torch.cat([positions[..., :1] + crooked, positions[..., 1:], energy], -1)


@pytest.mark.parametrize("mode", ["functional", "twirl"])
@pytest.mark.parametrize(("of_energy", "ratio"), [(True, 9.0), (False, 1.0)])
def test_penalties_weigh_energies_as_the_loss_does(mode, of_energy, ratio):
    torch.manual_seed(0)
    x = torch.randn(6, 4, 4, dtype=torch.float64)

    def penalty(weight):
        torch.manual_seed(1)
        candidates = bank({"o3": O3}, mode, samples=3)
        objective = ls.objectives.Remul(PotentialLoss(weight), candidates, ConstantWeights(["o3"]))
        return objective(Crooked(of_energy).train(), (x, torch.zeros_like(x))).parts["penalty/o3"]

    assert penalty(1.0) > 0.01
    assert penalty(9.0) == pytest.approx(ratio * float(penalty(1.0)), rel=1e-9)


def test_a_penalty_is_none_for_an_exact_potential():
    x = torch.randn(6, 4, 4, dtype=torch.float64)
    net = Crooked(of_energy=True)
    torch.nn.init.zeros_(net.size)
    for mode in ("functional", "twirl"):
        objective = ls.objectives.Remul(PotentialLoss(), bank({"o3": O3}, mode), ConstantWeights(["o3"]))
        assert objective(net.train(), (x, torch.zeros_like(x))).parts["penalty/o3"] < 1e-20


@pytest.mark.parametrize("shape", [(2, 2, 3), (2, 3, 4), (2, 4)])
def test_other_outputs_are_refused(shape):
    with pytest.raises(ValueError, match=r"outputs: got shape .* both must be \(B, N, 4\)"):
        PotentialLoss()(torch.zeros(shape), torch.zeros(2, 2, 4))


def test_clouds_of_several_sizes_are_refused():
    targets = Ragged.of([torch.rand(3, 4), torch.rand(2, 4)])
    with pytest.raises(ValueError, match="clouds of several sizes are not taken"):
        Supervised(PotentialLoss())(torch.nn.Identity(), (targets.x, targets))
