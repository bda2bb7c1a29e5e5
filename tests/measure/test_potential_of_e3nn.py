"""The rotation check of message passing with spherical harmonics and tensor products of e3nn, as MACE has them."""

import pytest
import torch

import learnsym as ls

pytest.importorskip("ase")  # the extra `molecules`
pytest.importorskip("e3nn")  # the extra `e3nn`

from ase.build import bulk, molecule
from mace_like import brute_force, mace_like

MOLECULES = [molecule(name) for name in ("H2O", "NH3", "CH3OH", "C2H4")]


def _salt(count=2):
    frames = [bulk("NaCl", "rocksalt", a=5.0, cubic=True) for _ in range(count)]
    for k, frame in enumerate(frames):
        frame.rattle(0.2, seed=k)
    return frames


def _is_round_off(quantity):
    """In double precision the error is far below what rounding to single precision would do."""
    return quantity.error.mean < 0.1 * quantity.floor


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_molecules_are_exact(seed):
    found = ls.measure.potential(mace_like(seed), MOLECULES, orientations=4)
    assert _is_round_off(found.energy) and _is_round_off(found.forces)
    assert found.net_force.mean < 1e-6 and found.net_torque.mean < 1e-6


def test_crystals_are_exact_with_their_stress():
    found = ls.measure.potential(mace_like(), _salt(), orientations=4)
    assert list(found.quantities) == ["energy", "forces", "stress"]
    assert all(map(_is_round_off, found.quantities.values()))
    # forces and stress are not 0 by themselves
    calculator, frame = mace_like(), _salt(1)[0]
    frame.calc = calculator
    assert abs(frame.get_forces()).max() > 1e-3 and abs(frame.get_stress()).max() > 1e-4


def test_in_single_precision_errors_are_those_of_rounding():
    found = ls.measure.potential(mace_like(dtype=torch.float32), MOLECULES, orientations=4)
    assert 0 < found.forces.error.mean < 0.05 and 0 < found.energy.error.mean < 0.05


@pytest.mark.parametrize("frames", [MOLECULES, _salt()], ids=["molecules", "crystals"])
def test_a_leak_is_that_of_a_brute_force_loop(frames):
    calculator = mace_like(leak=0.01)
    found = ls.measure.potential(calculator, frames, orientations=12, seed=3)
    energy, forces = brute_force(calculator, frames, 12, seed=3)
    assert found.energy.error.mean == pytest.approx(energy, rel=1e-6)
    assert found.forces.error.mean == pytest.approx(forces, rel=1e-6)
    assert not found.energy.is_exact and not found.forces.is_exact


def test_components_of_vectors_that_leak_are_a_vector():
    shares = ls.measure.potential(mace_like(leak=0.01), [MOLECULES[0]] * 12, orientations=40).energy.irreps
    assert shares["1o"].mean == pytest.approx(1, abs=0.1)
    assert all(abs(share.mean) < 4 * share.stderr + 0.02 for name, share in shares.items() if name != "1o")
