"""Laws of group convolution on the pixel lattice."""

from __future__ import annotations

import copy
import importlib.util
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import FeatureField, FieldType, GroupConv2d, SteerableConv, group_kernel, kernel_orbits
from learnsym.equivariant.lattice.orbits import gathered, orbit_means
from learnsym.groups import Cyclic, Dihedral
from learnsym.representations import Irrep, Quotient, Regular

spec = importlib.util.spec_from_file_location("group_kernels", Path(__file__).parents[2] / "reference/group_kernels.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

GROUPS = [Cyclic(1), Cyclic(2), Cyclic(4), Dihedral(1), Dihedral(2), Dihedral(4)]
SHAPES = [  # size, kernel, stride, padding, border
    (9, 3, 1, 1, "zeros"),
    (9, 3, 2, 1, "zeros"),
    (8, 2, 2, 0, "zeros"),
    (6, 4, 1, 2, "zeros"),
    (8, 3, 1, 1, "circular"),
    (9, 1, 2, 0, "zeros"),
]


@pytest.fixture(autouse=True)
def _double():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def _types(group) -> tuple[FieldType, FieldType]:
    return FieldType.trivial(group, 3), FieldType(group, ((Irrep(group, 0), 2), (Regular(group), 2)))


def _network(group, kernel_size=3, **options) -> nn.Sequential:
    image, fields = _types(group)
    net = nn.Sequential(
        GroupConv2d(image, fields, 5, padding=2), nn.ReLU(), GroupConv2d(fields, fields, kernel_size, **options)
    )
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    return net


def _error(layer, group, in_type, out_type, x) -> float:
    symmetry = ls.Symmetry(group, FeatureField(in_type), FeatureField(out_type))
    g = group.components
    moved, y = layer(symmetry.on_input(g, x)), layer(x)
    assert float(y.detach().std()) > 0.1
    return float((moved - symmetry.on_output(g, y)).detach().abs().max())


@pytest.mark.parametrize("group", GROUPS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_commutes_with_every_element(group, shape):
    size, kernel_size, stride, padding, mode = shape
    net = _network(group, kernel_size, stride=stride, padding=padding, padding_mode=mode)
    image, fields = _types(group)
    assert _error(net, group, image, fields, torch.randn(len(group.components), 3, size, size)) <= 1e-10


def test_a_stride_breaks_it_at_other_sizes():
    group, (image, fields) = Cyclic(4), _types(Cyclic(4))
    net = _network(group, 3, stride=2, padding=1)
    assert _error(net, group, image, fields, torch.randn(4, 3, 8, 8)) > 0.1
    assert ls.measure.exact_sizes(net, range(7, 11)).exact == (7, 9)


@pytest.mark.parametrize("group", [Dihedral(4), Cyclic(4)], ids=str)
def test_quotient_and_restricted_fields(group):
    fields = FieldType(group, ((Quotient(group, Cyclic(2)), 2), (Regular(group), 1)))
    small = fields.restricted(Cyclic(2))
    for types in (fields, small):
        layer = GroupConv2d(types, types, 3, padding=1)
        nn.init.normal_(layer.bias)
        x = torch.randn(types.group.order, types.size, 5, 5)
        assert _error(layer, types.group, types, types, x) <= 1e-10


@pytest.mark.parametrize("group", GROUPS, ids=str)
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5])
def test_the_gather_is_the_loop_over_the_group(group, kernel_size):
    k, order, regular = kernel_size, len(group.components), Regular(group)
    bank = torch.randn(2, 3, order, k, k)
    assert torch.equal(group_kernel(group, bank), reference.group_kernel(group, bank))
    lifted = gathered(bank[:, :, 0].flatten(2), kernel_orbits(Irrep(group, 0), regular, k))
    assert torch.equal(lifted, reference.lifting_kernel(group, bank[:, :, 0]))


@pytest.mark.parametrize("group", GROUPS, ids=str)
@pytest.mark.parametrize("kernel_size", [1, 2, 3])
def test_contains_the_kernels_of_steerable_convolution(group, kernel_size):
    regular = FieldType.regular(group, 1)
    kernel = SteerableConv(regular, regular, kernel_size).kernel()
    orbits = kernel_orbits(Regular(group), Regular(group), kernel_size)
    assert torch.allclose(gathered(orbit_means(kernel, orbits), orbits), kernel, atol=1e-12)


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_orbit_means_project(group):
    orbits = kernel_orbits(Regular(group), Quotient(group, Cyclic(1)), 3)
    kernel = torch.randn(2 * orbits.shape[0], 3 * orbits.shape[1], 3, 3)
    weights = orbit_means(kernel, orbits)
    removed = kernel - gathered(weights, orbits)
    assert torch.allclose(orbit_means(gathered(weights, orbits), orbits), weights)
    assert float((removed * gathered(torch.randn_like(weights), orbits)).sum().abs()) < 1e-10


def test_the_trivial_group_leaves_an_ordinary_convolution():
    types = FieldType.trivial(Cyclic(1), 4)
    layer = GroupConv2d(types, types, 3)
    assert torch.equal(layer.kernel().flatten(2), layer.weights["0-0"])
    assert sum(weight.numel() for weight in layer.parameters()) == 4 * 4 * 9 + 4


def test_plain_is_the_same_function_and_exact_the_layer():
    group, (image, fields) = Dihedral(4), _types(Dihedral(4))
    layer = GroupConv2d(image, fields, 3, stride=2, padding=1, padding_mode="circular")
    nn.init.normal_(layer.bias)
    x = torch.randn(2, 3, 8, 8)
    plain = layer.plain()
    assert type(plain) is nn.Conv2d
    assert torch.allclose(plain(x), layer(x), atol=1e-13)
    assert layer.exact() is layer
    assert group.name in repr(layer)


def test_initial_variance_is_that_of_the_input():
    fields = FieldType.regular(Cyclic(4), 16)
    y = GroupConv2d(fields, fields, 3)(torch.randn(4, 64, 12, 12))
    assert 0.8 < float(y.detach().std()) < 1.2


def test_functional_transforms():
    net = _network(Cyclic(4), padding=1)
    parameters, x = dict(net.named_parameters()), torch.randn(3, 3, 5, 5)

    def loss(values, example):
        return torch.func.functional_call(net, values, example[None]).square().sum()

    per_example = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    total = torch.func.grad(lambda values: sum(loss(values, example) for example in x))(parameters)
    for name, value in total.items():
        assert torch.allclose(per_example[name].sum(0), value)
        assert float(value.abs().max()) > 0
    _, tangent = torch.func.jvp(lambda values: loss(values, x[0]), (parameters,), (parameters,))
    assert torch.isfinite(tangent)


def test_compiles_copies_pickles_and_casts():
    net, x = _network(Dihedral(2), padding=1), torch.randn(2, 3, 5, 5)
    y = net(x)
    assert torch.allclose(torch.compile(net, fullgraph=True, backend="eager")(x), y)
    assert torch.equal(copy.deepcopy(net)(x), y)
    assert torch.equal(pickle.loads(pickle.dumps(net))(x), y)
    assert set(net.train().state_dict()) == set(net.eval().state_dict())
    assert net.float()(x.float()).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert net(x.float()).dtype == torch.bfloat16


def test_clear_errors():
    with pytest.raises(ValueError, match=r"C_8 does not map pixels to pixels.*use SteerableConv"):
        GroupConv2d(FieldType.trivial(Cyclic(8), 1), FieldType.regular(Cyclic(8), 1), 3)
    with pytest.raises(ValueError, match="must be trivial, regular or quotient"):
        GroupConv2d(FieldType.trivial(Cyclic(4), 1), FieldType.irreps(Cyclic(4), {1: 1}), 3)
    with pytest.raises(ValueError, match="must be one group"):
        GroupConv2d(FieldType.trivial(Cyclic(4), 1), FieldType.regular(Dihedral(4), 1), 3)
    with pytest.raises(ValueError, match="kernel_size"):
        GroupConv2d(FieldType.trivial(Cyclic(4), 1), FieldType.regular(Cyclic(4), 1), 0)
    with pytest.raises(ValueError, match="must have the 3"):
        GroupConv2d(*_types(Cyclic(4)), 3)(torch.rand(1, 2, 9, 9))
