"""Geometry of weights: ordinary layers are orthonormal, exact ones have the bases that they say."""

import math

import pytest
import torch
from torch import nn

from learnsym.equivariant import EquivariantLinear, FieldType, GroupConv2d, SteerableConv
from learnsym.groups import SO2, SO3, Cyclic, Dihedral
from learnsym.measure import parametrisation
from learnsym.relax import AdmissibleSpace, KernelPixels, ProjectedLayer, Spanned

C4, D4 = Cyclic(4), Dihedral(4)


def regular(group):
    return FieldType.trivial(group, 2) + FieldType.regular(group, 2)


EXACT = {
    "lattice C_4": lambda: GroupConv2d(regular(C4), regular(C4), 3),
    "lattice D_4": lambda: GroupConv2d(regular(D4), regular(D4), 5),
    "steerable C_8": lambda: SteerableConv(regular(Cyclic(8)), regular(Cyclic(8)), 5),
    "steerable SO(2)": lambda: SteerableConv(FieldType.trivial(SO2(), 1), FieldType.all_irreps(SO2(), 1, 2), 5),
    "linear D_4": lambda: EquivariantLinear(regular(D4), regular(D4)),
    "linear SO(3)": lambda: EquivariantLinear(FieldType.irreps(SO3(), {0: 2, 1: 3}), FieldType.irreps(SO3(), {1: 2})),
}


def jacobian(layer):
    """Of the whole kernel in all weights."""
    names = list(layer.weights)
    sizes = [layer.weights[name].numel() for name in names]
    columns = []
    for unit in torch.eye(sum(sizes), dtype=torch.float64):
        parts = dict(zip(names, unit.split(sizes), strict=True))
        weights = {name: part.view_as(layer.weights[name]) for name, part in parts.items()}
        columns.append(layer.kernel_of(weights).flatten())
    return torch.stack(columns, 1)


@pytest.mark.parametrize("name", EXACT)
def test_it_is_that_of_the_jacobian_of_the_whole_kernel(name):
    layer = EXACT[name]().double()
    values = torch.linalg.svdvals(jacobian(layer))
    found = parametrisation(layer)
    assert (found.low, found.high) == pytest.approx((float(values.min()), float(values.max())), rel=1e-6)


def test_ordinary_layers_have_the_geometry_of_their_kernels():
    layers = nn.Conv2d(1, 2, 3), nn.Linear(3, 2), ProjectedLayer(EXACT["lattice C_4"]())
    assert all(parametrisation(layer).orthonormal for layer in layers)


def test_bases_of_exact_layers_are_orthogonal_or_said_not_to_be():
    for name, layer in ((name, make().double()) for name, make in EXACT.items()):
        gram = jacobian(layer).mT @ jacobian(layer)
        crossed = (gram - gram.diagonal().diag()).abs().max() / gram.diagonal().max()
        assert bool(crossed < 1e-6) is not name.startswith("steerable"), name
    assert parametrisation(EXACT["lattice D_4"]()).high == pytest.approx(math.sqrt(8), rel=1e-6)
    assert parametrisation(EXACT["linear SO(3)"]()).condition == pytest.approx(1)


def test_the_exact_twin_of_a_spanned_network_is_orthonormal():
    slanted = torch.randn(9, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    space = AdmissibleSpace(KernelPixels(3), C4, torch.cat([torch.ones(9, 1).double(), slanted], 1))
    net = Spanned(nn.Conv2d(1, 2, 3), {"weight": space})
    assert not parametrisation(net).orthonormal and parametrisation(net.exact()).orthonormal


def test_other_layers_are_refused():
    with pytest.raises(ValueError, match="layer: got Tanh, must be an exact layer"):
        parametrisation(nn.Tanh())
