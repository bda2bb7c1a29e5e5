"""The residual axis: against the definition, laws with known axes, how often cap and test of the gap are right."""

import json
import math

import pytest
import torch

import learnsym as ls
from learnsym.actions import Invariant, PointCloud, PointVectors
from learnsym.measure.lie.principal_axes import angles
from learnsym.measure.lie.residual_axis import residual_axis
from learnsym.measure.moves import pairing
from learnsym.relax.points import FixedInputs

CLOUD = PointCloud(vectors=1)
AXIS = torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64) / 3**0.5


def clouds(count=30, points=4):
    return torch.randn(count, points, 6, dtype=torch.float64)


def gravity(x, t=0.7):
    return x[..., :3] + t * x[..., 3:] + t**2 / 2 * x.new_tensor([0.0, 0.0, -9.8])


def lorentz(x, field=AXIS):
    v = x[..., 3:]
    return x[..., :3] + v + torch.linalg.cross(field.expand_as(v), v)


def drift(x):
    return x[..., :3] + x[..., 3:]


def cubic(x):
    return drift(x) + x[..., 3:] ** 3


def squeeze(x):
    """Both smaller eigenvalues are the same over all clouds: differences of (1, 2, 3) are 1, 1, 2."""
    return x[..., :3] + x[..., 3:] * x.new_tensor([1.0, 2.0, 3.0])


def uneven(seed=3):
    """The field about the diagonal, broken by a random perceptron, differently for every example."""
    g = torch.Generator().manual_seed(seed)
    w1, w2 = (torch.randn(*shape, generator=g, dtype=torch.float64) for shape in ((6, 20), (20, 3)))
    return lambda x: lorentz(x) + 0.1 * torch.tanh(x @ w1) @ w2


def test_is_the_quadratic_form_of_all_lie_derivatives():
    x, f, step = clouds(), uneven(), 1e-4
    found = residual_axis(f, x, CLOUD)
    y = f(x)
    distance = (y - y[pairing(len(x), 0)]).flatten(1).square().sum(1).mean()
    axes = torch.tensor(found.axes, dtype=torch.float64)
    torch.testing.assert_close(axes @ axes.mT, torch.eye(3, dtype=torch.float64), atol=1e-12, rtol=0)
    w = torch.randn(3, dtype=torch.float64)
    g, back = (ls.groups.SO3().exp(sign * step * w).expand(len(x), 3, 3) for sign in (1, -1))
    lie = (PointCloud()(back, f(CLOUD(g, x))) - PointCloud()(g, f(CLOUD(back, x)))) / (2 * step)
    expected = lie.flatten(1).square().sum(1).mean() / distance * (math.pi / 180) ** 2
    form = ((axes @ w).square() * torch.tensor(found.eigenvalues, dtype=torch.float64)).sum()
    torch.testing.assert_close(form, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("law", "verdict", "direction"),
    [
        (gravity, "one axis", (0, 0, 1)),
        (lorentz, "one axis", (-1, -1, -1)),
        (drift, "all rotations", None),
        (cubic, "none", None),
        (squeeze, "none", None),
    ],
)
def test_laws(law, verdict, direction):
    found = residual_axis(law, clouds(), CLOUD)
    assert found.verdict == verdict
    assert found.axis == found.axes[0] and list(found.errors) == sorted(found.errors)
    if direction is not None:
        assert found.angle_to(direction) < 1e-6 and found.radius < 1e-6 and found.p_value < 0.01
        # roots of eigenvalues, which are exact to rounding
        assert found.errors[0] < 1e-8 and found.errors[1] > 0.003
    else:
        assert found.radius > 20 and not found.told_apart


def test_an_axis_that_examples_do_not_tell_is_undecided():
    """Two errors of the same size, both below the floor, and a third above it."""
    found = residual_axis(squeeze, clouds(), CLOUD, floor=0.007)
    assert found.verdict == "undecided" and found.errors[0] < 0.007 < found.errors[2]
    assert residual_axis(squeeze, clouds(), CLOUD, floor=0.1).verdict == "all rotations"


def test_errors_are_those_of_the_local_equivariance_error():
    x, f = clouds(), uneven()
    found = residual_axis(f, x, CLOUD)
    symmetry = ls.Symmetry(ls.groups.AxialSO2(found.axis), on_input=CLOUD, on_output=PointCloud())
    local = ls.measure.local_equivariance_error(f, x, symmetry)["rotation"].relative
    assert found.errors[0] == pytest.approx(float(local.per_sample.square().mean().sqrt()))
    assert found.intervals[0].low < found.errors[0] < found.intervals[0].high


def test_invariant_outputs_and_forces():
    def energy(x):
        return x[..., 5].sum(1) + x[..., 3:].square().sum((1, 2))

    found = residual_axis(energy, clouds(), CLOUD, Invariant())
    assert found.verdict == "one axis" and found.angle_to((0, 0, 1)) < 1e-6
    forces = residual_axis(lambda x: lorentz(x) - x[..., :3], clouds(), CLOUD, PointVectors())
    assert forces.verdict == "one axis" and forces.angle_to(AXIS) < 1e-6


def test_finds_the_fixed_vector_of_a_network():
    net = FixedInputs(lambda inputs: ls.nets.points.EGNN(inputs, PointCloud(), hidden=8, layers=1), CLOUD)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.5 * torch.randn_like(weight))
    net.double().train()
    found = residual_axis(net, clouds(), CLOUD, floor=1e-6)
    assert net.training and found.verdict == "one axis"
    assert found.angle_to(net.axis()) < 1e-6
    assert residual_axis(net.exact(), clouds(), CLOUD, floor=1e-6).verdict == "all rotations"


def test_neither_the_batch_size_nor_the_frame_matters():
    x, f = clouds(), uneven()
    found, small = (residual_axis(f, x, CLOUD, batch_size=size) for size in (30, 7))
    assert found.axis == pytest.approx(small.axis, abs=1e-12) and found.radius == pytest.approx(small.radius)
    g = ls.groups.SO3().haar(1, dtype=torch.float64)
    many, back = g.expand(30, 3, 3), g.mT.expand(30, 3, 3)
    turned = residual_axis(lambda x: PointCloud()(many, f(CLOUD(back, x))), CLOUD(many, x), CLOUD, batch_size=30)
    assert turned.angle_to(g[0] @ torch.tensor(found.axis, dtype=torch.float64)) < 1e-6
    assert turned.eigenvalues == pytest.approx(found.eigenvalues)


def share_covered(truth, found):
    return sum(one.angle_to(truth) <= one.radius for one in found) / len(found)


@pytest.mark.slow
def test_the_cap_covers_the_axis_over_all_examples():
    f = uneven()
    truth = residual_axis(f, clouds(20000), CLOUD, bootstrap=1, batch_size=5000).axis
    found = [residual_axis(f, clouds(30), CLOUD, bootstrap=200, seed=k, batch_size=30) for k in range(150)]
    assert 0.82 <= share_covered(truth, found) <= 0.97
    assert sum(one.radius for one in found) / len(found) < 8


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 8])
def test_the_cap_covers_the_axis_over_all_models(count):
    x, found = clouds(20), []
    for seed in range(100):
        fields = AXIS + 0.2 * torch.randn(count, 3, dtype=torch.float64)
        models = [lambda x, field=field: lorentz(x, field) for field in fields]
        found.append(residual_axis(models, x, CLOUD, bootstrap=200, seed=seed, batch_size=20))
    assert share_covered(AXIS, found) >= 0.85
    assert found[0].models == count
    alone = residual_axis(models[0], x, CLOUD)
    assert alone.radius < 1e-6 < 1 < found[-1].radius


@pytest.mark.parametrize("law", [squeeze, cubic])
def test_no_gap_is_seen_where_there_is_none(law):
    found = [residual_axis(law, clouds(30), CLOUD, bootstrap=200, seed=k, batch_size=30) for k in range(150)]
    assert 0.02 <= sum(one.told_apart for one in found) / len(found) <= 0.18


def test_angles_up_to_sign():
    n = torch.tensor([0.0, 0.0, 1.0])
    axes = torch.stack([n, -n, torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, -1.0]) / 2**0.5])
    torch.testing.assert_close(angles(axes, n), torch.tensor([0.0, 0.0, 90.0, 45.0]))


def test_text_and_json():
    found = residual_axis(gravity, clouds(), CLOUD, seed=2)
    read = json.loads(json.dumps(found.to_dict()))
    assert read["verdict"] == "one axis" and read["axis"] == list(found.axis) and read["intervals"][2]["level"] == 0.9
    assert str(found).startswith("one axis: (0.000, 0.000, 1.000) ±")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: residual_axis([], clouds(), CLOUD), "no models"),
        (lambda: residual_axis(gravity, clouds(1), CLOUD), "x: got 1 examples"),
        (lambda: residual_axis(gravity, clouds()), "numbers per point"),
        (lambda: residual_axis(gravity, clouds(), CLOUD, CLOUD), "numbers per point"),
        (lambda: residual_axis(gravity, clouds(), CLOUD, floor=0.0), "floor: got 0"),
        (lambda: residual_axis(gravity, clouds(), CLOUD, bootstrap=0), "bootstrap: got 0"),
        (lambda: residual_axis(gravity, clouds(), CLOUD, level=1.0), "level: got 1"),
        (lambda: residual_axis(lambda x: torch.tensor(x[..., :3].tolist()), clouds(), CLOUD), "no derivative"),
        (lambda: residual_axis(gravity, clouds(), CLOUD).angle_to((0, 0, 0)), "direction: got"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_networks_as_models():
    nets = [ls.nets.points.EGNN(CLOUD, PointCloud(), hidden=4, layers=1).double() for _ in range(2)]
    assert residual_axis(nets, clouds(), CLOUD).verdict == "all rotations"
