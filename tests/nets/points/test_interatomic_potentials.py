"""Potentials: forces that are gradients or predicted, one energy per atom, exact ones at round-off."""

from __future__ import annotations

import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors
from learnsym.nets.config import POINT_NETS, NetConfig
from learnsym.nets.points import ConservativePotential, potentials
from learnsym.ragged import Ragged
from learnsym.relax.points import AbsoluteCoordinates, FixedInputs

ATOMS = PointCloud(scalars=2)
O3 = ls.Symmetry(ls.groups.O3(), ATOMS, PointVectors(vectors=1, scalars=1))
EXACT = ("egnn", "gatr")
every_kind = pytest.mark.parametrize("kind", potentials)


def potential(kind, name, width=8):
    made = potentials[kind]
    net = ls.nets.build_points(NetConfig(name=name, width=width, depth=1), ATOMS, made.predicts)
    return made(net).double()


def atoms(batch=4, count=5):
    torch.manual_seed(0)
    return torch.randn(batch, count, ATOMS.features, dtype=torch.float64)


@every_kind
@pytest.mark.parametrize("name", POINT_NETS)
def test_every_network_is_a_potential_and_every_weight_is_trained(kind, name):
    net, x = potential(kind, name), atoms()
    y = net(x)
    assert y.shape == (4, 5, 4)
    assert torch.equal(y[..., 3], y[:, :1, 3].expand(-1, 5))
    ls.objectives.PotentialLoss()(y, torch.randn_like(y)).backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in net.parameters())


@every_kind
@pytest.mark.parametrize("name", EXACT)
def test_exact_networks_are_exact(kind, name):
    found = ls.measure.equivariance_error(potential(kind, name), atoms(8), O3, samples=4)
    assert found.mean < 1e-9
    assert ls.measure.equivariance_error(potential(kind, "gnn"), atoms(8), O3, samples=4).mean > 0.01


@torch.no_grad()
@pytest.mark.parametrize("name", ["transformer", "egnn"])
def test_conservative_forces_are_differences_of_energies(name):
    net, x, step = potential("conservative", name), atoms(1), 1e-5
    forces = net(x)[0, :, :3]
    for atom, axis in ((0, 0), (3, 2)):
        ends = []
        for sign in (1, -1):
            moved = x.clone()
            moved[0, atom, axis] += sign * step
            ends.append(5 * net(moved)[0, 0, 3])  # the energy of all five atoms
        assert float(ends[1] - ends[0]) / (2 * step) == pytest.approx(float(forces[atom, axis]), rel=1e-6, abs=1e-9)


def test_the_energy_of_direct_forces_is_the_mean_of_what_is_predicted():
    net, x = potential("direct", "gnn"), atoms()
    predicted = net.net(x)
    torch.testing.assert_close(net(x)[..., :3], predicted[..., :3])
    torch.testing.assert_close(net(x)[:, 0, 3], predicted[..., 3].mean(1))


@every_kind
def test_padding_changes_nothing(kind):
    net, clouds = potential(kind, "egnn"), [atoms(1, 3)[0], atoms(1, 5)[0]]
    ragged = Ragged.of(clouds)
    padded = net(ragged)
    for cloud, y in zip(clouds, ragged.clouds(padded), strict=True):
        torch.testing.assert_close(y, net(cloud[None])[0], atol=1e-12, rtol=0)
    assert not padded[0, 3:].any()


@torch.no_grad()
def test_relaxed_networks_keep_their_statistics_and_their_gradient():
    """Forces are those of the whole network, what sees absolute places among it."""

    def make(inputs):
        return ls.nets.points.EGNN(inputs, ConservativePotential.predicts, hidden=8, layers=1)

    learned = AbsoluteCoordinates(lambda inputs: FixedInputs(make, inputs), ATOMS, start=1.0)
    net, x, step = ConservativePotential(learned).double().train(), atoms(1), 1e-5
    y = net(x)
    assert learned.seen.batches == 1 and learned.seen.value < 1
    moved = torch.stack([x[0], x[0]])
    moved[0, 2, 1] += step
    moved[1, 2, 1] -= step
    plus, minus = 5 * net.eval()(moved)[:, 0, 3]
    assert float(minus - plus) / (2 * step) == pytest.approx(float(y[0, 2, 1]), rel=1e-5)
    assert len(ls.degrees(net)) == 2
    twin = ls.relax.exact_twin(net)
    assert ls.measure.equivariance_error(net, atoms(8), O3, samples=2).mean > 1e-6
    assert ls.measure.equivariance_error(twin, atoms(8), O3, samples=2).mean < 1e-9
