"""A small network after MACE as a calculator of ASE: messages of spherical harmonics, products of features, readouts.

    A_i = Σ_j R(r_ij) (h_j ⊗ Y(r_ij)),    h'_i = W [A_i, A_i ⊗ A_i],    E = Σ_i (w·h_i^0 + w'·h'_i^0)

Reference: Batatia et al., "MACE" (2022), arXiv 2206.07697, with products of two features in place of three and more.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("e3nn")  # the extra `e3nn`
pytest.importorskip("ase")  # the extra `molecules`
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list
from ase.stress import full_3x3_to_voigt_6_stress
from e3nn import o3

import learnsym as ls

CUTOFF, RADIAL, SPECIES = 3.5, 4, 30
HARMONICS = o3.Irreps("0e + 1o + 2e")
HIDDEN = o3.Irreps("4x0e + 4x1o")


class Interaction(torch.nn.Module):
    """Messages from neighbours, and products of what arrives."""

    def __init__(self, inputs):
        super().__init__()
        self.convolution = o3.FullyConnectedTensorProduct(inputs, HARMONICS, HIDDEN, shared_weights=False)
        self.radial = torch.nn.Sequential(
            torch.nn.Linear(RADIAL, 8), torch.nn.SiLU(), torch.nn.Linear(8, self.convolution.weight_numel)
        )
        self.linear = o3.Linear(HIDDEN, HIDDEN)
        self.product = o3.FullyConnectedTensorProduct(HIDDEN, HIDDEN, HIDDEN)

    def forward(self, h, i, j, harmonics, radial):
        messages = self.convolution(h[j], harmonics, self.radial(radial))
        a = torch.zeros(len(h), HIDDEN.dim, dtype=h.dtype).index_add(0, i, messages) / 4
        return self.linear(a) + self.product(a, a)


class MACELike(torch.nn.Module):
    """Energies of structures; `leak` adds components of vectors to them, which no rotation keeps."""

    def __init__(self, leak=0.0):
        super().__init__()
        self.leak = leak
        self.species = torch.nn.Embedding(SPECIES, 4)
        scalars = o3.Irreps("4x0e")
        self.first, self.second = Interaction(scalars), Interaction(HIDDEN)
        self.readouts = torch.nn.ModuleList(o3.Linear(HIDDEN, "0e") for _ in range(2))

    def forward(self, numbers, vectors, i, j):
        lengths = vectors.norm(dim=1, keepdim=True)
        harmonics = o3.spherical_harmonics(HARMONICS, vectors, normalize=True, normalization="component")
        waves = (torch.arange(1, RADIAL + 1) * torch.pi * lengths / CUTOFF).sin() / lengths
        radial = waves * (1 - (lengths / CUTOFF) ** 2).clamp(min=0) ** 3
        h = self.species(numbers)
        energy = torch.zeros((), dtype=vectors.dtype)
        for interaction, readout in zip((self.first, self.second), self.readouts, strict=True):
            h = interaction(h, i, j, harmonics, radial)
            energy = energy + readout(h).sum() + self.leak * h[:, 4:7].sum()
        return energy


class OfNetwork(Calculator):
    """Energy, forces and stress of a network, in its precision."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, net):
        super().__init__()
        self.net, self.dtype = net, next(net.parameters()).dtype

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        i, j, shifts = (torch.tensor(each) for each in neighbor_list("ijS", self.atoms, CUTOFF))
        positions = torch.tensor(self.atoms.positions, dtype=self.dtype, requires_grad=True)
        strain = torch.zeros(3, 3, dtype=self.dtype, requires_grad=True)
        cell = torch.tensor(self.atoms.cell.array, dtype=self.dtype)
        vectors = positions[j] - positions[i] + shifts.to(self.dtype) @ cell
        stretched = vectors + vectors @ (strain + strain.T) / 2
        energy = self.net(torch.tensor(self.atoms.numbers), stretched, i, j)
        gradients = torch.autograd.grad(energy, [positions, strain])
        forces, virial = (-gradients[0].double().numpy(), gradients[1].double().numpy())
        self.results = {"energy": float(energy.detach()), "forces": forces}
        if self.atoms.cell.rank == 3:
            self.results["stress"] = full_3x3_to_voigt_6_stress(virial / self.atoms.get_volume())


def mace_like(seed=0, dtype=torch.float64, leak=0.0):
    """A calculator with random weights."""
    torch.manual_seed(seed)
    return OfNetwork(MACELike(leak).to(dtype))


def brute_force(calculator, frames, orientations, seed):
    """The errors in meV/atom and meV/Å, one calculation and one move after the other."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        moves = ls.groups.O3().haar(len(frames), orientations, dtype=torch.float64).numpy()
    energies, forces = [], []
    for frame, of_frame in zip(frames, moves, strict=True):
        first = frame.copy()
        first.calc = calculator
        energy, force = first.get_potential_energy(), first.get_forces()
        for g in of_frame:
            moved = frame.copy()
            moved.set_cell(frame.cell.array @ g.T)
            moved.positions = frame.positions @ g.T
            moved.calc = calculator
            energies.append(1000 * abs(moved.get_potential_energy() - energy) / len(frame))
            forces.append(1000 * np.abs(moved.get_forces() @ g - force).mean())
    return np.mean(energies), np.mean(forces)
