"""Relaxed networks on point clouds: which symmetry stays, exactness when switched off, and how modules behave."""

import copy
import itertools
import pickle

import jaxtyping
import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors
from learnsym.groups import E3, O3, SE3, SO3, AxialSO2
from learnsym.objectives.terms.prior import penalty
from learnsym.relax.points import AbsoluteCoordinates, FixedInputs, WithoutExtras

CLOUD, OUT = PointCloud(vectors=2, scalars=1), PointCloud(vectors=1, scalars=1)


def egnn(inputs, outputs=OUT):
    return ls.nets.points.EGNN(inputs, outputs, hidden=8, layers=2)


KINDS = {
    "one fixed": lambda: FixedInputs(egnn, CLOUD),
    "three fixed": lambda: FixedInputs(egnn, CLOUD, vectors=3),
    "absolute": lambda: AbsoluteCoordinates(egnn, CLOUD),
    "both": lambda: AbsoluteCoordinates(lambda inputs: FixedInputs(egnn, inputs), CLOUD),
}
every_kind = pytest.mark.parametrize("name", KINDS)


def make(name):
    """A network in evaluation, away from its first weights so that all of it acts, in double precision, and clouds."""
    return grown(KINDS[name]()), clouds()


def grown(net):
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return net.double().eval()


def clouds(count=3, points=5, cloud=CLOUD):
    return torch.randn(count, points, cloud.features, dtype=torch.float64)


def elements(group, count=3):
    """Group elements, with translations and reflections where the group has them."""
    turns = (O3() if group.name.startswith("E") else SO3() if not group.is_compact else group).haar(
        count, dtype=torch.float64
    )
    if group.is_compact:
        return turns
    g = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    g[:, :3, :3], g[:, :3, 3] = turns, torch.randn(count, 3, dtype=torch.float64)
    return g


@torch.no_grad()
def broken(net, group, x, inputs=CLOUD, outputs=OUT):
    """The largest `|f(g x) - g f(x)|`."""
    g = elements(group, len(x))
    return float((net(inputs(g, x)) - outputs(g, net(x))).abs().max())


@every_kind
def test_switched_off_is_exact(name):
    net, x = make(name)
    exact = net.exact()
    assert exact.group.name == "E(3)"
    assert broken(exact, E3(), x) <= 1e-10
    assert not exact.training
    assert float((net(x) - exact(x)).detach().abs().max()) > 1e-4
    assert broken(net, SO3(), x) > 1e-6


def test_no_fixed_vector_and_no_gain_are_the_exact_twin():
    for name, weight in (("three fixed", "fixed"), ("absolute", "signed_gain")):
        net, x = make(name)
        getattr(net, weight).data.zero_()
        torch.testing.assert_close(net(x), net.exact()(x), atol=1e-12, rtol=0)
        assert float(net.distance().detach()) == 0 == sum(d.estimate for d in net.degrees("input"))
        net(x).square().sum().backward()
        assert all(bool(p.grad.isfinite().all()) for p in net.parameters() if p.grad is not None)


@pytest.mark.parametrize("vectors", [1, 3])
def test_jointly_equivariant_under_rotations_and_not_under_mirrors(vectors):
    net, x = grown(FixedInputs(egnn, CLOUD, vectors)), clouds()
    gap = {}
    for kind, g in (("rotation", SO3().haar(1, dtype=torch.float64)), ("inversion", -torch.eye(3).double()[None])):
        turned = {"fixed": net.fixed @ g[0].mT}
        many = g.expand(len(x), -1, -1)
        gap[kind] = torch.func.functional_call(net, turned, (CLOUD(many, x),)) - OUT(many, net(x))
    assert float(gap["rotation"].detach().abs().max()) <= 1e-10
    assert float(gap["inversion"].detach().abs().max()) > 1e-4


@pytest.mark.parametrize("cloud", [CLOUD, PointCloud(), PointCloud(scalars=2)])
def test_stabiliser(cloud):
    x = clouds(cloud=cloud)
    n = torch.tensor([1.0, 2.0, -0.5], dtype=torch.float64)
    net = grown(FixedInputs(egnn, cloud, vectors=2))
    net.fixed.data = torch.stack([0.7 * n, -0.2 * n])
    own = net.stabiliser()
    assert own.name == AxialSO2(n.tolist()).name
    torch.testing.assert_close(net.axis(), n / n.norm())
    shifted = x + torch.cat([torch.ones(3), torch.zeros(cloud.features - 3)])
    moved = torch.cat([torch.ones(6), torch.zeros(1)]).double() * torch.tensor([1, 1, 1, 0, 0, 0, 0])
    torch.testing.assert_close(net(shifted), net(x) + moved, atol=1e-10, rtol=0)
    assert broken(net, own, x, cloud) <= 1e-10
    for other in ((1, 0, 0), (0, 1, 0), (2, -1, 0)):
        assert broken(net, AxialSO2(other), x, cloud) > 1e-4
    net.fixed.data[1] = torch.tensor([0.3, 0.0, 0.0])
    assert net.stabiliser().name == "trivial"
    assert broken(net, own, x, cloud) > 1e-5
    assert net.stabiliser(tolerance=10.0).name == "SO(3)"
    net.fixed.data.zero_()
    assert net.stabiliser().name == "SO(3)"
    with pytest.raises(ValueError, match="all vectors are 0"):
        net.axis()


def test_products_reach_axial_fields_that_vectors_alone_do_not():
    """The force `B × v` on a point at the origin: EGNN has no cross product of its own."""
    torch.manual_seed(1)
    cloud, out = PointCloud(vectors=1), PointVectors()
    field = torch.tensor([0.3, -0.8, 0.5])
    v = torch.randn(256, 1, 3)
    x, y = torch.cat([torch.zeros_like(v), v], -1), torch.linalg.cross(field.expand_as(v), v)

    def fitted(net):
        optimiser = torch.optim.Adam(net.parameters(), 1e-2)
        for _ in range(300):
            optimiser.zero_grad()
            loss = (net(x) - y).square().mean()
            loss.backward()
            optimiser.step()
        return float(loss.detach() / y.square().mean())

    net = FixedInputs(lambda inputs: ls.nets.points.EGNN(inputs, out, hidden=16, layers=1), cloud)
    assert fitted(net) < 0.02
    assert abs(float(net.axis().double() @ (field / field.norm()).double())) > 0.99
    assert fitted(ls.nets.points.EGNN(cloud, out, hidden=16, layers=1)) > 0.5


def test_even_functions_have_no_gradient_at_zero():
    cloud, out = PointCloud(vectors=1), PointVectors(vectors=0, scalars=1)

    class Even(nn.Module):
        def forward(self, x):
            v, u = x[..., 3:6], x[..., 6:9]
            return (u * v).sum(-1, keepdim=True).square()

    net, x = FixedInputs(lambda _: Even(), cloud), clouds(cloud=cloud).float()
    net(x).sum().backward()
    assert net.fixed.grad.norm() > 0
    net.fixed.data.zero_()
    net.zero_grad()
    net(x).sum().backward()
    assert not net.fixed.grad.any() and out.features == 1


def test_coordinates_break_translations_and_fixed_vectors_do_not():
    shift = torch.eye(4, dtype=torch.float64).repeat(3, 1, 1)
    shift[:, :3, 3] = torch.randn(3, 3)
    for name, least, most in (("three fixed", 0, 1e-10), ("absolute", 1e-5, torch.inf)):
        net, x = make(name)
        gap = (net(CLOUD(shift, x)) - OUT(shift, net(x))).detach().abs().max()
        assert least <= float(gap) <= most


def test_networks_of_smaller_groups():
    inputs = PointCloud(vectors=1)
    net = grown(FixedInputs(lambda cloud: ls.nets.points.ClofNet(cloud, PointCloud(), hidden=8, layers=1), inputs))
    x = clouds(cloud=inputs)
    assert broken(net.exact(), SE3(), x, inputs, PointCloud()) <= 1e-8
    assert broken(net, net.stabiliser(), x, inputs, PointCloud()) <= 1e-8


@every_kind
def test_gradient_reaches_every_parameter(name):
    net, x = make(name)
    net.train()(x.requires_grad_()).square().sum().backward()
    assert bool(x.grad.abs().sum() > 0)
    assert not [key for key, p in net.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]


@every_kind
def test_copies_pickles_and_states(name):
    net, x = make(name)
    net.train()(x)
    keys = list(net.state_dict())
    net.eval()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        torch.testing.assert_close(other(x), net(x))
    fresh = KINDS[name]().double().eval()
    fresh.load_state_dict(net.state_dict())
    torch.testing.assert_close(fresh(x), net(x))
    assert list(net.state_dict()) == keys
    torch.testing.assert_close(fresh.distance(), net.distance())
    torch.testing.assert_close(pickle.loads(pickle.dumps(net.exact()))(x), net.exact()(x))


@every_kind
def test_precisions_and_autocast(name):
    net, x = make(name)
    expected = net(x)
    single = copy.deepcopy(net).float()
    torch.testing.assert_close(single(x.float()).double(), expected, atol=1e-3, rtol=1e-3)
    with torch.autocast("cpu", torch.bfloat16):
        found = single(x.float())
    torch.testing.assert_close(found.double(), expected, atol=0.1 * float(expected.detach().abs().max()), rtol=0.1)


@every_kind
def test_functional_transforms(name):
    net, x = make(name)
    weights = dict(net.named_parameters())

    def loss(values, one):
        return torch.func.functional_call(net, values, (one[None],)).square().sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, x)
    net(x).square().sum().backward()
    for key, weight in net.named_parameters():
        torch.testing.assert_close(each[key].sum(0), weight.grad)
    v = torch.randn_like(x)
    _, tangent = torch.func.jvp(net, (x,), (v,))
    numeric = (net(x + 1e-6 * v) - net(x - 1e-6 * v)) / 2e-6
    torch.testing.assert_close(tangent, numeric, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "training"), list(zip(KINDS, itertools.cycle([False, True]))))
def test_compiles_to_one_graph(name, training, monkeypatch):
    net, x = make(name)
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    compiled = torch.compile(net.train(training), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), net(x))
    compiled(x.requires_grad_()).square().sum().backward()
    assert x.grad is not None


@every_kind
def test_distance_and_degrees(name):
    net, _ = make(name)
    assert net.distance().ndim == 0 and float(net.distance().detach()) > 0 and net.distance().requires_grad
    found = ls.degrees(nn.Sequential(net))
    assert {d.notion for d in found} == {"task"} and found[0].site == "layer:0"
    if name == "both":
        assert [d.site for d in found] == ["layer:0", "layer:0.net"]
        assert [d.site for d in ls.degrees(net)] == ["input", "layer:net"]
    else:
        assert len(found) == (3 if name == "three fixed" else 1)


def test_prior():
    net, _ = make("both")
    fixed = net.net.fixed.square().sum()
    torch.testing.assert_close(penalty(net, fixed), 0.5 * (fixed + net.signed_gain.square()))
    narrow = FixedInputs(egnn, CLOUD, 2, variance=0.1).double()
    torch.testing.assert_close(narrow.penalty(), 5 * narrow.fixed.square().sum())
    objective = ls.objectives.WithPrior(nn.functional.mse_loss, examples=10)
    assert set(objective(net, (clouds(), torch.zeros(3, 5, 7).double())).parts) == {"task", "prior"}


def test_lengths_are_in_units_of_the_vectors_seen():
    net, x = make("three fixed")
    net.train()
    for scale in (1, 3):
        net(x * scale)
    rms = (CLOUD.split(x).vectors.square().sum(-1).mean() * (1 + 9) / 2).sqrt()
    torch.testing.assert_close(net.lengths(), net.fixed.norm(dim=1) / rms)
    torch.testing.assert_close(net.distance(), net.lengths().sum())
    bare = FixedInputs(egnn, PointCloud()).double().train()
    positions = clouds(cloud=PointCloud())
    bare(positions + 100)
    apart = positions - positions.mean(1, keepdim=True)
    torch.testing.assert_close(bare.seen.root(), apart.square().sum(-1).mean().sqrt())


def test_the_share_of_coordinates():
    net, x = make("absolute")
    net.train()(x)
    phi = net.phi(x[..., :9]).detach()
    own, other = (net.gain().detach() * phi).square().mean(), x[..., 9:].square().mean()
    assert net.degrees("input")[0].estimate == pytest.approx(float(own / (own + other)))


def test_drop_gives_whole_clouds_the_exact_network():
    net = grown(FixedInputs(egnn, CLOUD, drop=0.5))
    x = clouds(count=40)
    with torch.no_grad():
        full, exact = net(x), net.exact()(x)
        mixed = net.train()(x)
    as_full, as_exact = ((mixed - y).abs().amax((1, 2)) < 1e-12 for y in (full, exact))
    assert bool((as_full ^ as_exact).all()) and 5 < int(as_exact.sum()) < 35


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FixedInputs(egnn, CLOUD, 0), "vectors: got 0"),
        (lambda: FixedInputs(egnn, CLOUD, start=0.0), "start: got 0"),
        (lambda: FixedInputs(egnn, CLOUD, drop=1.0), "drop: got 1"),
        (lambda: FixedInputs(egnn, CLOUD, variance=0.0), "variance: got 0"),
        (lambda: FixedInputs(egnn, PointCloud(dim=2)), "dim=2"),
        (lambda: AbsoluteCoordinates(egnn, CLOUD, features=0), "features: got 0"),
        (lambda: AbsoluteCoordinates(egnn, CLOUD, start=0.0), "start: got 0"),
        (lambda: WithoutExtras(nn.Identity(), PointCloud(dim=4)), "dim=4"),
        (lambda: FixedInputs(egnn, CLOUD).stabiliser(0.0), "tolerance: got 0"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
