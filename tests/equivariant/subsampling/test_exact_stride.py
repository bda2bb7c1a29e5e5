"""Networks with exact strides commute with quarter turns and flips at every input size."""

import copy
import pickle

import jaxtyping
import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym import groups
from learnsym.equivariant import ExactStride, FeatureField, FieldType, GroupConv2d, SteerableConv, exact_strides

SIZES = range(11, 17)


def network(group: groups.Group, conv: type[GroupConv2d] | type[SteerableConv]) -> nn.Sequential:
    image, fields = FieldType.trivial(group, 1), FieldType.regular(group, 2)
    layers = [
        conv(image, fields, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        conv(fields, fields, 3, padding=1),
        nn.AvgPool2d(2, stride=3, padding=1),
    ]
    return nn.Sequential(*layers).double()


@torch.no_grad()
def error(net: nn.Module, group: groups.Group, size: int) -> float:
    g = group.components
    x = torch.randn(1, 1, size, size, dtype=torch.float64).expand(len(g), -1, -1, -1)
    fields = FieldType.regular(group, 2)
    return float((net(FeatureField(FieldType.trivial(group, 1))(g, x)) - FeatureField(fields)(g, net(x))).abs().max())


@pytest.mark.parametrize("conv", [GroupConv2d, SteerableConv])
@pytest.mark.parametrize("group", [groups.Cyclic(2), groups.Cyclic(4), groups.Dihedral(1), groups.Dihedral(4)], ids=str)
def test_exact_at_every_size(group: groups.Group, conv: type[GroupConv2d] | type[SteerableConv]) -> None:
    net = network(group, conv)
    exact = exact_strides(net)
    assert max(error(exact, group, size) for size in SIZES) < 1e-10
    assert max(error(net, group, size) for size in SIZES) > 1e-3


def test_shapes_stay_and_exact_sizes_change_nothing() -> None:
    net = network(groups.Cyclic(4), GroupConv2d)
    exact = exact_strides(net)
    for size in (9, 12, 13, 19, 25, 28, 31):
        x = torch.randn(2, 1, size, size, dtype=torch.float64)
        assert exact(x).shape == net(x).shape
        if ls.measure.exact_sizes(net, [size], channels=1).exact:
            torch.testing.assert_close(exact(x), net(x))


def test_the_network_itself_stays_as_it_was() -> None:
    net = network(groups.Cyclic(4), GroupConv2d)
    before = copy.deepcopy(net)
    exact = exact_strides(net)
    x = torch.randn(2, 1, 13, 13, dtype=torch.float64)
    assert torch.equal(net(x), before(x))
    assert sum(p.numel() for p in exact.parameters()) == sum(p.numel() for p in net.parameters())


def test_works_as_other_modules_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    exact, x = exact_strides(network(groups.Cyclic(4), GroupConv2d)), torch.randn(3, 1, 13, 13, dtype=torch.float64)
    assert torch.equal(torch.compile(exact, backend="eager", fullgraph=True)(x), exact(x))
    torch.testing.assert_close(torch.func.vmap(lambda one: exact(one[None])[0])(x), exact(x))
    assert torch.equal(pickle.loads(pickle.dumps(exact))(x), exact(x))
    exact(x).sum().backward()
    assert all(p.grad is not None for p in exact.parameters())
    plain = ls.relax.plain_twin(exact)
    torch.testing.assert_close(plain(x), exact(x))
    assert torch.equal(torch.export.export(plain, (x,)).module()(x), plain(x))


@torch.no_grad()
def invariance_error(net: nn.Module, group: groups.Group, x: torch.Tensor) -> float:
    g = group.components.double()
    moved = FeatureField(FieldType.trivial(group, x.shape[1]))(g, x.expand(len(g), -1, -1, -1))
    return float((net(moved) - net(x)).abs().max())


@pytest.mark.parametrize("size", [27, 28, 29])
def test_a_network_for_digits_is_invariant_at_all_sizes(size: int) -> None:
    group = groups.Cyclic(4)
    net = ls.nets.P4CNN(1, 10, group, width=3).double().eval()
    x = torch.rand(1, 1, size, size, dtype=torch.float64)
    assert invariance_error(exact_strides(net), group, x) < 1e-10
    assert (invariance_error(net, group, x) < 1e-10) == (size == 28)


def test_a_residual_network_is_invariant_where_its_strides_are_not() -> None:
    group = groups.Dihedral(4)
    net = ls.nets.group_resnet44(3, 10, group, width=2).double().eval()
    x = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    assert invariance_error(exact_strides(net), group, x) < 1e-10
    assert invariance_error(net, group, x) > 1e-6


def test_the_margin_tells_of_ties() -> None:
    pool = ExactStride(nn.MaxPool2d(2, stride=1), 2)
    assert float(pool.index(torch.zeros(1, 1, 7, 7)).margin) == 0
    assert float(pool.index(torch.rand(1, 1, 7, 7)).margin) > 0
    assert float(pool.index(torch.rand(1, 1, 6, 6)).margin) == 1


def test_modules_used_twice_and_blocks_with_a_stride_of_their_own() -> None:
    pool = nn.MaxPool2d(2)
    block = nn.Sequential(pool, nn.Conv2d(1, 1, 3, padding=1), pool)
    block.stride = 2  # pyright: ignore[reportArgumentType]
    exact = exact_strides(nn.Sequential(block))
    inner = exact.get_submodule("0")
    assert isinstance(inner, nn.Sequential)
    assert isinstance(inner[0], ExactStride)
    assert inner[0] is inner[2]


def test_bad_networks_are_named() -> None:
    with pytest.raises(ValueError, match=r"0 \(Conv2d\) has strides \[1, 2\]"):
        exact_strides(nn.Sequential(nn.Conv2d(1, 1, 3, stride=(1, 2))))
    with pytest.raises(ValueError, match="ceil_mode=True"):
        exact_strides(nn.Sequential(nn.MaxPool2d(2, ceil_mode=True)))
    with pytest.raises(ValueError, match="stride: got 0"):
        ExactStride(nn.Identity(), 0)
