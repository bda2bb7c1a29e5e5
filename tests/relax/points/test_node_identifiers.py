"""Node identifiers: which permutations stay, exactness when switched off, and what training finds."""

import copy
import pickle

import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors, Set
from learnsym.data import Ragged
from learnsym.groups import E3, Permutation, YoungSubgroup
from learnsym.objectives.terms.prior import penalty
from learnsym.posterior import laplace_degrees
from learnsym.relax.points import NodeIdentifiers, OneHotIdentifiers
from tests.planted_nodes import CLASSES, planted, trained

CLOUD, OUT = PointCloud(vectors=1, scalars=1), PointVectors(vectors=1, scalars=1)


def _egnn(types):
    return ls.nets.points.EGNN(types, OUT, hidden=8, layers=2)


def _net(classes=((0,), (1,), (2,), (3,), (4,))):
    """A network away from its start, with one identifier for each class."""
    net = NodeIdentifiers(_egnn, CLOUD, positions=5, features=2)
    with torch.no_grad():
        for weight in net.net.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
        for each in classes:
            net.identifiers[list(each)] = torch.randn(2)
    return net.double().eval()


def _clouds(count=6):
    return torch.randn(count, 5, CLOUD.features, dtype=torch.float64)


def _broken(net, group, x):
    g = group.haar(len(x), dtype=torch.float64)
    return float((net(Set()(g, x)) - Set()(g, net(x))).detach().abs().max())


def test_permutations_within_classes_stay_and_others_do_not():
    net, x = _net([[0, 3], [1, 2], [4]]), _clouds()
    group = net.stabiliser()
    assert group == YoungSubgroup(5, [[0, 3], [1, 2]])
    assert _broken(net, group, x) < 1e-12
    for pair in ([0, 1], [3, 4], [2, 4]):
        assert _broken(net, YoungSubgroup(5, [pair]), x.repeat(5, 1, 1)) > 1e-4


def test_identifiers_break_no_symmetry_of_space():
    motions = ls.distributions.LieBox(E3(), torch.ones(6, dtype=torch.float64))
    symmetry = ls.Symmetry(E3(), CLOUD, OUT)
    assert ls.measure.equivariance_error(_net(), _clouds(), symmetry, distribution=motions).mean < 1e-10


def test_the_start_and_the_exact_twin_are_exact_and_what_is_common_tells_nothing_apart():
    net, x = _net(), _clouds()
    assert _broken(net.exact(), Permutation(5), x) < 1e-12
    assert not net.exact().training
    start = NodeIdentifiers(_egnn, CLOUD, positions=5).double()
    assert _broken(start, Permutation(5), x) < 1e-12 and [d.estimate for d in start.degrees("input")] == [0.0] * 5
    equal = _net([[0, 1, 2, 3, 4]])
    torch.testing.assert_close(equal(x), equal.exact()(x))
    assert float(equal.distance().detach()) < 1e-6
    start(x).square().sum().backward()
    assert float(start.identifiers.grad.abs().max()) > 0


def test_degrees_are_in_units_of_the_scalars_of_points():
    net, x = _net(), _clouds()
    net.train()(x)
    square = (net.identifiers[:, None] - net.identifiers).square().sum(-1).sum(1) / 4
    share = square / (square + x[..., -1].square().mean())
    torch.testing.assert_close(torch.tensor([d.estimate for d in ls.degrees(net)]).double(), share.detach())
    assert [d.generator for d in ls.degrees(net)] == [f"position {n}" for n in range(5)]
    assert all(d.group == "S_5" and d.status == "no interval" for d in ls.degrees(net))


def test_the_prior():
    net = _net()
    torch.testing.assert_close(penalty(net, _clouds()), 0.5 * net.identifiers.square().sum())
    wide = NodeIdentifiers(_egnn, CLOUD, 5, variance=4.0)
    torch.nn.init.ones_(wide.identifiers)
    torch.testing.assert_close(wide.penalty(), torch.tensor(0.5 * 5 * 4 / 4))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", CLASSES)
def test_training_tells_apart_what_the_data_do(kind, seed):
    """Identifiers of a class end close to each other and far from those of other classes."""
    label = {position: k for k, each in enumerate(CLASSES[kind]) for position in each}
    t = trained(kind, seed).identifiers.detach()
    apart = {
        same: [float((t[i] - t[j]).norm()) for i in range(5) for j in range(i) if (label[i] == label[j]) is same]
        for same in (True, False)
    }
    assert max(apart[True], default=0.0) < 0.25
    assert max(apart[True], default=0.0) < 0.5 * min(apart[False], default=1.0)


def test_intervals_of_laplace():
    net, (x, y) = trained("some", 0), planted("some", 60, 9)
    degrees = laplace_degrees(net, (x.present, y.present))
    assert all(d.low < d.estimate < d.high and d.method.endswith("Laplace") for d in degrees)


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies(copy_of):
    net, x = _net(), _clouds()
    assert torch.equal(copy_of(net)(x), net(x))
    other = _net()
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x), net(x))


def test_one_hot_identifiers_break_all_permutations():
    net = OneHotIdentifiers(_egnn, CLOUD, 5).double()
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    for pair in ([0, 1], [3, 4]):
        assert _broken(net, YoungSubgroup(5, [pair]), _clouds(20)) > 1e-4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NodeIdentifiers(_egnn, CLOUD, 1), "positions: got 1, must be >= 2"),
        (lambda: NodeIdentifiers(_egnn, CLOUD, 5, 0), "features: got 0, must be >= 1"),
        (lambda: NodeIdentifiers(_egnn, CLOUD, 5, variance=0.0), "variance: got 0"),
        (lambda: NodeIdentifiers(_egnn, PointCloud(dim=2), 5), "inputs: got dim=2, must be 3"),
        (lambda: OneHotIdentifiers(_egnn, CLOUD, 0), "positions: got 0, must be >= 1"),
        (lambda: _net().stabiliser(tolerance=0.0), "tolerance: got 0.0, must be positive"),
        (lambda: _net()(torch.zeros(1, 6, 7).double()), "x: got clouds of 6 points, must be at most 5"),
        (
            lambda: OneHotIdentifiers(_egnn, CLOUD, 5)(Ragged.of([torch.zeros(7, 7)])),
            "x: got clouds of 7 points, must be at most 5",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
