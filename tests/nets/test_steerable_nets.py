"""Steerable networks: invariant under lattice rotations, plain twins, ordinary modules."""

import copy
import pickle

import pytest
import torch
from torch import nn

from learnsym import nets
from learnsym.actions import warp
from learnsym.equivariant import BallMask, FieldType, FreeConv, Sequential, SteerableConv
from learnsym.export import export_model
from learnsym.groups import O2, O3, SO2, SO3, Cyclic, Dihedral, Trivial
from learnsym.measure import exact_sizes
from learnsym.nets.steerable_blocks import Residual

QUARTER, FLIP = torch.tensor([[0.0, -1.0], [1.0, 0.0]]), torch.diag(torch.tensor([-1.0, 1.0]))


def steerable_cnn(group, **options):
    return nets.SteerableCNN(group, 1, 3, width=1, band_limit=None if group.order else 1, size=17, **options)


def wide():
    return nets.SteerableWideResNet([Dihedral(4), Cyclic(4), Cyclic(2)], 1, 3, depth=10, width=1)


def volumes(group, **options):
    return nets.ResNet3d(group, 1, 3, width=1, band_limit=None if group.order else 1, size=7, **options)


def images(count=3, size=16):
    return torch.randn(count, 1, size, size).double()


def evaluated(net, x):
    """With statistics of data, in double precision."""
    net = net.double().train()
    with torch.no_grad():
        net(x)
    return net.eval()


def moved(x, g):
    g = g.double().expand(len(x), *g.shape).contiguous()
    return warp(x, g)


@pytest.mark.parametrize("group", [Cyclic(4), Dihedral(4), SO2(), O2()], ids=str)
def test_steerable_cnn_is_invariant(group):
    x = images()
    net = evaluated(steerable_cnn(group), x)
    elements = [QUARTER, FLIP @ QUARTER] if len(group.components) % 2 == 0 and "D" in group.name else [QUARTER]
    for g in [*elements, *([FLIP] if group.name == "O(2)" else [])]:
        torch.testing.assert_close(net(moved(x, g)), net(x), rtol=0, atol=1e-10)


def test_wide_resnet_keeps_the_symmetry_of_its_last_stage():
    x = images(size=17)
    net = evaluated(wide(), x)
    torch.testing.assert_close(net(moved(x, QUARTER @ QUARTER)), net(x), rtol=0, atol=1e-10)
    assert (net(moved(x, QUARTER)) - net(x)).abs().max() > 1e-4
    assert exact_sizes(net, (16, 17, 18), channels=1).exact == (17,)


@pytest.mark.parametrize("group", [SO3(), O3()], ids=str)
def test_resnet_of_volumes_is_invariant(group):
    x = torch.randn(2, 1, 6, 6, 6).double()
    net = evaluated(volumes(group), x)
    turn = torch.block_diag(QUARTER, torch.ones(1, 1))
    for g in (turn, turn[[1, 2, 0]][:, [1, 2, 0]], *([-torch.eye(3)] if group == O3() else [])):
        torch.testing.assert_close(net(moved(x, g)), net(x), rtol=0, atol=1e-10)


def test_free_convolutions_give_ordinary_networks():
    x = torch.randn(2, 1, 6, 6, 6).double()
    net = evaluated(volumes(Trivial(3, "space"), conv=FreeConv), x)
    turn = torch.block_diag(QUARTER, torch.ones(1, 1))
    assert (net(moved(x, turn)) - net(x)).abs().max() > 1e-4
    free = evaluated(steerable_cnn(SO2(), conv=FreeConv), images())
    assert (free(moved(images(), QUARTER)) - free(images())).abs().max() > 1e-4


NETS = {
    "cnn": (lambda: steerable_cnn(SO2()), (3, 1, 16, 16)),
    "wide": (wide, (3, 1, 17, 17)),
    "volumes": (lambda: volumes(SO3()), (3, 1, 6, 6, 6)),
}


@pytest.mark.parametrize("name", NETS)
def test_plain_twin_computes_the_same_with_convolutions_of_torch(name, tmp_path):
    make, shape = NETS[name]
    x = torch.randn(*shape)
    net = evaluated(make(), x.double()).float()
    plain = net.plain()
    torch.testing.assert_close(plain(x), net(x), rtol=1e-5, atol=1e-5)
    assert not any(isinstance(module, SteerableConv) for module in plain.modules())
    path = export_model(net, x, tmp_path / "model.pt2")
    torch.testing.assert_close(torch.export.load(path).module()(x), net(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NETS)
def test_networks_are_ordinary_modules(name):
    make, shape = NETS[name]
    x = torch.randn(*shape)
    net = make()
    net(x).square().sum().backward()
    assert all(bool(p.grad is not None and p.grad.abs().sum() > 0) for p in net.parameters())
    keys = set(net.state_dict())
    net = net.eval()
    assert keys == set(net.state_dict())
    for copied in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(copied(x), net(x))
    fresh = make().eval()
    fresh.load_state_dict(net.state_dict())
    assert torch.equal(fresh(x), net(x))


@pytest.mark.parametrize("name", NETS)
def test_networks_in_function_transforms(name):
    make, shape = NETS[name]
    x = torch.randn(*shape).double()
    net = evaluated(make(), x)
    weights = dict(net.named_parameters())

    def loss(weights, x):
        return torch.func.functional_call(net, weights, (x[None],)).square().sum()

    per_example = torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, x)
    assert all(per_example[key].shape == (len(x), *weight.shape) for key, weight in weights.items())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_networks_compile_as_one_graph(name):
    make, shape = NETS[name]
    x = torch.randn(*shape).double()
    net = evaluated(make(), x)
    torch.testing.assert_close(torch.compile(net, fullgraph=True, backend="eager")(x), net(x))


def test_residual_needs_matching_types():
    a, b = FieldType.regular(Cyclic(4), 1), FieldType.regular(Cyclic(4), 2)
    with pytest.raises(ValueError, match="shortcut: leads from"):
        Residual(Sequential(SteerableConv(a, b, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nets.SteerableCNN(SO2(), 1, 2, band_limit=1, size=56), "size: got 56, must be 1 more .* take 57"),
        (lambda: nets.ResNet3d(SO3(), 1, 2, band_limit=1, size=14), "size: got 14, must be odd"),
        (lambda: nets.SteerableWideResNet([Cyclic(4)] * 3, 1, 2, depth=12), "depth: got 12"),
        (lambda: nets.SteerableWideResNet([Cyclic(4)] * 2, 1, 2, depth=10), "groups: got 2"),
        (lambda: nets.SteerableWideResNet([SO2()] * 3, 1, 2, depth=10), "groups: got SO"),
        (lambda: nets.SteerableWideResNet([Cyclic(4), Cyclic(3), Cyclic(3)], 1, 2, depth=10), "no subgroup"),
        (lambda: BallMask(FieldType.trivial(SO2(), 1), 5)(torch.rand(1, 1, 4, 4)), "x: got images of 4 pixels"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_wide_resnet_restricts_stage_by_stage():
    types = {module.in_type.group.name for module in wide().modules() if isinstance(module, SteerableConv)}
    assert types == {"D_4", "C_4", "C_2"}
    assert isinstance(wide().plain(), nn.Sequential)


def test_exact_sizes_of_the_classifier_are_those_of_its_own_grid():
    net = nets.SteerableCNN(Cyclic(4), 1, 10, width=1, size=33)
    assert exact_sizes(net, range(26, 30), channels=1).exact == (26, 27, 28, 29)
