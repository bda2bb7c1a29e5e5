"""Neural processes: what they commute with, what changes nothing, and tasks without a context."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch

import learnsym as ls
from learnsym.nets.processes import TNP, BankedBody, ConvBody, ConvCNP, SteerableBody, TranslationTNP
from learnsym.nets.processes.lattice import Lattice, ToLattice
from learnsym.tasks import Tasks
from tests.process_cases import DIMS, EQUIVARIANT, OTHERS, made, tasks

ALL = [*EQUIVARIANT, *OTHERS]


def _moved(x: Tasks, by: torch.Tensor) -> Tasks:
    return x._replace(context_x=x.context_x + by, target_x=x.target_x + by)


def _turned(x: Tasks, g: torch.Tensor) -> Tasks:
    return x._replace(context_x=x.context_x @ g.mT, target_x=x.target_x @ g.mT)


def _gap(net: torch.nn.Module, a: Tasks, b: Tasks) -> float:
    return float((net(a.inputs()) - net(b.inputs())).detach().abs().max())


@pytest.mark.parametrize("name", [*EQUIVARIANT, "banked"])
def test_translations_of_any_length_are_exact(name):
    net, x = made(name), tasks(name)
    shift = torch.tensor([[[0.0377]], [[-3.21]], [[8.0]]], dtype=torch.float64)
    assert _gap(net, x, _moved(x, shift)) <= 1e-10
    assert float(net(x.inputs()).detach().std()) > 1e-2


@pytest.mark.parametrize("k", [1, 2, 3])
def test_quarter_turns_of_a_steerable_process_are_exact_and_those_of_a_plain_one_are_not(k):
    x = tasks("steerable")
    g = torch.linalg.matrix_power(torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64), k)
    assert _gap(made("steerable"), x, _turned(x, g)) <= 1e-8
    assert _gap(made("conv 2d"), x, _turned(x, g)) > 1e-3


def test_flips_of_a_dihedral_process_are_exact():
    torch.manual_seed(0)
    net = ConvCNP(SteerableBody(2, 2, 3, group=ls.groups.Dihedral(4)), spacing=0.5, points=12).double()
    x = tasks("steerable")
    flip = torch.diag(torch.tensor([-1.0, 1.0], dtype=torch.float64))
    assert _gap(net, x, _turned(x, flip)) <= 1e-8
    assert _gap(made("steerable"), x, _turned(x, flip)) > 1e-4


def test_the_library_measures_the_same():
    x = tasks("steerable", count=4).inputs()
    net = made("steerable")
    cloud, out = ls.actions.PointCloud(dim=2), ls.actions.PointVectors(vectors=0, scalars=2, dim=2)
    for group, most in ((ls.groups.Cyclic(4), 1e-8), (ls.groups.Dihedral(4), None)):
        symmetry = ls.Symmetry(group, cloud, out).at(input="locations")
        error = ls.measure.equivariance_error(net, x, symmetry).mean
        assert error < most if most else error > 1e-3


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_the_context_does_not_matter(name):
    net, x = made(name), tasks(name)
    order = torch.randperm(x.context_x.shape[1], generator=torch.Generator().manual_seed(2))
    other = x._replace(context_x=x.context_x[:, order], context_y=x.context_y[:, order], mask=x.mask[:, order])
    assert _gap(net, x, other) <= 1e-10


@pytest.mark.parametrize("name", ALL)
def test_padding_changes_nothing_whatever_stands_in_it(name):
    net, x = made(name), tasks(name)
    filled = x._replace(
        context_x=torch.where(x.mask[..., None], x.context_x, 1e3),
        context_y=torch.where(x.mask[..., None], x.context_y, float("nan")),
    )
    assert _gap(net, x, filled) <= 1e-10
    for number in range(3):
        own = x.mask[number]
        alone = Tasks(
            x.context_x[number : number + 1, own],
            x.context_y[number : number + 1, own],
            x.mask[number : number + 1, own],
            x.target_x[number : number + 1],
        )
        torch.testing.assert_close(net(alone.inputs())[0], net(x.inputs())[number], rtol=0, atol=1e-10)
    numbers = {**x.inputs(), "mask": x.mask.double()}
    assert torch.equal(net(numbers), net(x.inputs()))


@pytest.mark.parametrize("name", ALL)
def test_a_prediction_does_not_depend_on_what_else_is_asked_for(name):
    net, x = made(name), tasks(name)
    fewer = x._replace(target_x=x.target_x[:, 1:2])
    torch.testing.assert_close(net(fewer.inputs()), net(x.inputs())[:, 1:2], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ALL)
def test_without_context_there_is_the_prior(name):
    net, x = made(name), tasks(name)
    none = x._replace(mask=torch.zeros_like(x.mask))
    empty = Tasks(x.context_x[:, :0], x.context_y[:, :0], x.mask[:, :0], x.target_x)
    assert bool(net(none.inputs()).isfinite().all())
    assert _gap(net, none, empty) <= 1e-10
    if name.startswith("tnp") and name != "tnp free":
        # all targets are alike to a process that knows differences only
        assert float(net(none.inputs()).detach().std(1).max()) < 1e-10


@pytest.mark.parametrize("name", ALL)
def test_a_location_may_come_twice(name):
    net, x = made(name), tasks(name)
    twice = x._replace(context_x=torch.cat([x.context_x[:, :1], x.context_x[:, :-1]], 1))
    assert bool(net(twice.inputs()).isfinite().all())
    at_context = x._replace(target_x=x.context_x)
    assert bool(net(at_context.inputs()).isfinite().all())


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith(("conv", "steer", "banked"))])
def test_targets_off_the_lattice_get_the_answer_of_no_features(name):
    net, x = made(name), tasks(name)
    far = x._replace(target_x=x.target_x + torch.tensor([[[50.0]], [[90.0]], [[70.0]]], dtype=torch.float64))
    assert isinstance(net, ConvCNP)
    answer = net.head(torch.zeros(1, 1, net.body.width, dtype=torch.float64))
    torch.testing.assert_close(net(far.inputs()), answer.expand(3, 5, -1), rtol=0, atol=1e-12)


def test_the_set_convolution_is_its_definition():
    lattice = Lattice(2, spacing=0.5, points=6).double()
    encode, x = ToLattice(lattice).double(), tasks("conv 2d", values=2)
    axes = lattice.axes(x.centre())
    h = encode(x, axes).flatten(1, 2)
    length, places = encode.log_length.exp(), lattice.locations(axes)
    for b in range(3):
        r = torch.cdist(places[b], x.context_x[b][x.mask[b]])
        k = (-0.5 * (r / length) ** 2).exp()
        density = k.sum(1, keepdim=True)
        expected = torch.cat([density, k @ x.context_y[b][x.mask[b]] / (density + 1e-4)], 1)
        torch.testing.assert_close(h[b], expected)


def test_banks_without_weights_are_one_convolution_with_the_mean_kernel():
    torch.manual_seed(0)
    body = BankedBody(1, width=3, depth=1, kernel=5, banks=3).double()
    z = torch.randn(2, 3, 11, dtype=torch.float64)
    kernel, bias = (torch.stack(weight.chunk(3)).mean(0) for weight in body.parameters())
    expected = z + torch.nn.functional.conv1d(torch.nn.functional.silu(z), kernel, bias, padding=2)
    torch.testing.assert_close(body(z), expected)
    torch.testing.assert_close(body(z, torch.zeros(2, 3, 11, dtype=torch.float64)), expected)


@pytest.mark.parametrize("name", ALL)
def test_variances_have_a_floor_and_gradients_reach_all_weights(name):
    net, x = made(name), tasks(name)
    outputs = net(x.inputs())
    mean, log_variance = outputs.chunk(2, -1)
    assert outputs.shape == (3, 5, 2) and float(log_variance.detach().min()) >= 2 * math.log(0.01)
    (mean.square().mean() + log_variance.square().mean()).backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in net.parameters() if p.ndim)


@pytest.mark.parametrize("name", ALL)
def test_copies_and_several_values(name):
    net, x = made(name), tasks(name).inputs()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(other(x), net(x))
    dim = DIMS.get(name, 1)
    two = TranslationTNP(dim, 2, width=8, depth=1, heads=2) if name.startswith("tnp") else None
    two = two or ConvCNP(ConvBody(dim, 4, 1, 3), 2, spacing=0.5, points=8)
    assert two.double()(tasks(name, values=2).inputs()).shape == (3, 5, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConvBody(4), "dim: got 4, must be 1, 2 or 3"),
        (lambda: ConvBody(1, kernel=4), "kernel: got 4, must be odd.*take 5"),
        (lambda: ConvBody(1, extras=-1), "extras: got -1"),
        (lambda: SteerableBody(group=ls.groups.SO2()), "group: got SO.2., must be finite"),
        (lambda: BankedBody(1, banks=0), "banks: got 0"),
        (lambda: ConvCNP(ConvBody(1), spacing=0.0, points=8), "spacing, points: got 0.0, 8"),
        (lambda: ConvCNP(ConvBody(1), 0, spacing=0.1, points=8), "values: got 0"),
        (lambda: TNP(1, width=6, heads=4), "heads: got 4 for 6 features"),
        (lambda: TranslationTNP(4), "dim, extras: got 4, 0"),
        (lambda: made("conv 1d")(torch.zeros(3, 2)), "x: got a Tensor, which lacks locations, values, mask"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
