"""Rotation checks of potentials: exact ones at round-off, others against a loop and against known irreps."""

import json
import pickle

import numpy as np
import pytest
import torch

import learnsym as ls

pytest.importorskip("ase")  # the extra `molecules`

from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from calculators import Own, Perceptron, anisotropy, field, pairs

MOLECULES = [molecule(name) for name in ("H2O", "NH3", "CH3OH", "C2H4")]


def crystals(count=3):
    copper = bulk("Cu", cubic=True) * (2, 1, 1)
    frames = [copper.copy() for _ in range(count)]
    for k, frame in enumerate(frames):
        frame.rattle(0.1, seed=k)
    return frames


def test_copper_with_its_cell_is_exact():
    found = ls.measure.potential(EMT(), crystals(), orientations=6)
    assert list(found.quantities) == ["energy", "forces", "stress"]
    for quantity in found.quantities.values():
        assert quantity.is_exact and quantity.error.mean < 1e-9 and not quantity.irreps
    assert found.net_force.mean < 1e-9 and found.net_torque is None
    assert found.calls == 3 * 7 and "exact up to rounding" in str(found)


@pytest.mark.parametrize("function", [field(), Perceptron()], ids=["field", "perceptron"])
def test_it_is_the_loop(function):
    found = ls.measure.potential(Own(function), MOLECULES, orientations=5, seed=3)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        moves = ls.groups.O3().haar(len(MOLECULES), 5, dtype=torch.float64).numpy()
    energies, forces, worst = [], [], 0.0
    for frame, of_frame in zip(MOLECULES, moves, strict=True):
        energy, force = function(frame)
        centre = frame.positions.mean(0)
        for g in of_frame:
            moved = frame.copy()
            moved.positions = (frame.positions - centre) @ g.T + centre
            other, turned = function(moved)
            energies.append(1000 * abs(other - energy) / len(frame))
            apart = 1000 * (turned - force @ g.T) @ g
            forces.append(np.abs(apart).mean())
            worst = max(worst, np.linalg.norm(apart, axis=1).max())
    assert found.energy.error.mean == pytest.approx(np.mean(energies), rel=1e-6)
    assert found.energy.worst == pytest.approx(max(energies), rel=1e-6)
    assert found.forces.error.mean == pytest.approx(np.mean(forces), rel=1e-6)
    assert found.forces.worst == pytest.approx(worst, rel=1e-6)
    assert found.energy.error.stderr > 0 and found.forces.worst_frame in range(4)


def test_spread_of_a_field_is_that_of_its_dipole():
    """The standard deviation over orientations is the dipole times the field over the root of three."""
    water = MOLECULES[0]
    charges = water.numbers - water.numbers.mean()
    dipole = np.linalg.norm(charges @ (water.positions - water.positions.mean(0)))
    found = ls.measure.potential(Own(field(0.01)), [water], orientations=400)
    assert found.energy.spread.mean == pytest.approx(1000 * 0.01 * dipole / 3**0.5 / 3, rel=0.1)


@pytest.mark.parametrize(("function", "name"), [(field(), "1o"), (anisotropy(), "2e")])
def test_irreps_of_errors(function, name):
    found = ls.measure.potential(Own(function), [MOLECULES[2]] * 20, orientations=40)
    shares = found.energy.irreps
    assert shares[name].mean == pytest.approx(1, abs=0.1)
    assert all(abs(share.mean) < 4 * share.stderr + 0.02 for other, share in shares.items() if other != name)
    assert "0e" not in shares and set(found.forces.irreps) == {"0e", "0o", "1e", "1o", "2e", "2o", "3e", "3o"}


def test_characters_are_orthogonal():
    from learnsym.measure.potential.characters import characters

    chi = torch.stack(list(characters(ls.groups.O3().haar(20_000, dtype=torch.float64)).values()))
    torch.testing.assert_close(chi @ chi.T / 20_000, torch.eye(8, dtype=torch.float64), atol=0.1, rtol=0)
    g, h = ls.groups.O3().haar(2, 5, dtype=torch.float64)
    for name in ("1e", "1o", "2e", "3o"):  # of the matrices themselves
        matrix = ls.representations.Irrep(ls.groups.O3(), int(name[0]), int(name[1] == "o"))
        torch.testing.assert_close(characters(g @ h)[name], matrix(g @ h).diagonal(dim1=-2, dim2=-1).sum(-1))


def test_a_frame_that_fails_is_named_and_the_others_go_on(caplog):
    def picky(atoms):
        if 6 in atoms.numbers:
            raise RuntimeError("no carbon")
        return pairs(atoms)

    found = ls.measure.potential(Own(picky), MOLECULES, orientations=3)
    assert found.frames.tolist() == [0, 1] and list(found.failures) == [2, 3]
    assert "RuntimeError: no carbon" in found.failures[2] and "frame 2 failed: RuntimeError" in str(found)
    assert "fails on frame 2, which is left out" in caplog.text
    with pytest.raises(ValueError, match="calculator: fails on every frame, first with RuntimeError: no carbon"):
        ls.measure.potential(Own(picky), MOLECULES[2:], orientations=3)


def test_what_is_not_finite_is_a_failure():
    found = ls.measure.potential(
        Own(lambda atoms: (np.nan if len(atoms) == 3 else pairs(atoms)[0], pairs(atoms)[1])), MOLECULES, orientations=3
    )
    assert found.failures == {0: "ArithmeticError: its energy is not finite"}


def test_momenta_and_magnetic_moments_turn():
    def spinning(atoms):
        energy = float((atoms.get_momenta() * atoms.positions).sum())
        axial = np.cross(atoms.positions, atoms.get_momenta())
        return energy + float((axial * atoms.get_initial_magnetic_moments()).sum()), np.zeros((len(atoms), 3))

    water = MOLECULES[0].copy()
    water.positions -= water.positions.mean(0)
    water.set_momenta(np.random.default_rng(0).normal(size=(3, 3)))
    water.set_initial_magnetic_moments(np.random.default_rng(1).normal(size=(3, 3)))
    assert ls.measure.potential(Own(spinning), [water], orientations=6).energy.is_exact


def test_frames_stay_as_they_are_and_the_seed_decides():
    frames = crystals(2)
    before = [(frame.positions.copy(), frame.cell.array.copy()) for frame in frames]
    first, again = (ls.measure.potential(Own(field()), frames, orientations=3, seed=1) for _ in range(2))
    assert first.energy.error.per_sample.tolist() == again.energy.error.per_sample.tolist()
    assert all((f.positions == x).all() and (f.cell.array == c).all() for f, (x, c) in zip(frames, before, strict=True))
    assert pickle.loads(pickle.dumps(first)).rows() == first.rows()
    json.dumps(first.rows())


def flat(periodic):
    frame = bulk("Cu", cubic=True)
    frame.cell[:] = [[1, 0, 0], [0, 1, 0], [1, 1, 0]]
    frame.pbc = periodic
    return frame


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: ls.measure.potential(EMT(), []), "frames: got none"),
        (lambda: ls.measure.potential(EMT(), [flat(True)]), r"frames: frame 0 is periodic .* with a cell of no volume"),
        (lambda: ls.measure.potential(EMT(), [3]), "frames: frame 0 is a int, must be ase.Atoms"),
        (lambda: ls.measure.potential(EMT(), [MOLECULES[0][:0]]), "frames: frame 0 has no atoms"),
        (lambda: ls.measure.potential(EMT(), MOLECULES, orientations=2), "orientations: got 2, must be >= 3"),
        (
            lambda: ls.measure.potential(torch.nn.Linear(3, 1), MOLECULES),
            "calculator: got Linear, must be a calculator",
        ),
    ],
)
def test_what_cannot_be_measured(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_a_network_of_e3nn_is_exact():
    o3 = pytest.importorskip("e3nn.o3")
    torch.manual_seed(0)
    scalars = o3.Irreps("4x0e + 4x1o + 4x2e")
    product = o3.FullyConnectedTensorProduct(scalars, scalars, "1x0e").double()
    linear = o3.Linear(o3.Irreps("0e + 1o + 2e"), scalars).double()

    def network(atoms):
        x = torch.tensor(atoms.positions, requires_grad=True)
        apart = (x[:, None] - x)[~torch.eye(len(x), dtype=bool)]
        harmonics = o3.spherical_harmonics([0, 1, 2], apart, normalize=True) * torch.exp(-apart.norm(dim=1))[:, None]
        features = linear(harmonics).reshape(len(x), len(x) - 1, -1).sum(1)
        energy = product(features, features).sum()
        return float(energy), -torch.autograd.grad(energy, x)[0].numpy()

    found = ls.measure.potential(Own(network), MOLECULES[:3], orientations=4)
    assert found.energy.is_exact and found.forces.is_exact and found.forces.error.mean < 1e-6
