"""Calculators of known symmetry."""

import numpy as np
import pytest
import torch

pytest.importorskip("ase")
from ase.calculators.calculator import Calculator, all_changes


class Own(Calculator):
    """A calculator of a function of atoms."""

    implemented_properties = ("energy", "forces")

    def __init__(self, function, **options):
        super().__init__(**options)
        self.function = function

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        energy, forces = self.function(self.atoms)
        self.results = {"energy": energy, "forces": forces}


def pairs(atoms):
    """An exact potential of pairs."""
    x = torch.tensor(atoms.positions, requires_grad=True)
    energy = torch.pdist(x).pow(-1).sum()
    return float(energy), -torch.autograd.grad(energy, x)[0].numpy()


def field(strength=0.01):
    """Charges in a field along z, beside the pairs: an error that is a vector."""

    def function(atoms):
        energy, forces = pairs(atoms)
        charges = atoms.numbers - atoms.numbers.mean()
        along = np.zeros_like(forces)
        along[:, 2] = strength * charges
        return energy - float((along * atoms.positions).sum()), forces + along

    return function


def anisotropy(strength=0.01):
    """An energy of rank two in positions, with its forces."""

    def function(atoms):
        energy, forces = pairs(atoms)
        p = atoms.positions - atoms.positions.mean(0)
        trace_free = np.diag([-1.0, -1.0, 2.0])
        return energy + strength * float(
            np.einsum("ni,ij,nj", p, trace_free, p)
        ), forces - 2 * strength * p @ trace_free

    return function


class Perceptron(torch.nn.Module):
    """A potential of single atoms that knows nothing of rotations."""

    def __init__(self):
        super().__init__()
        layers = (torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
        self.net = torch.nn.Sequential(*layers).double()

    def __call__(self, atoms):
        x = torch.tensor(atoms.positions - atoms.positions.mean(0), requires_grad=True)
        numbers = torch.tensor(atoms.numbers, dtype=torch.float64)[:, None]
        energy = self.net(torch.cat([x, numbers], 1)).sum()
        return float(energy), -torch.autograd.grad(energy, x)[0].numpy()
