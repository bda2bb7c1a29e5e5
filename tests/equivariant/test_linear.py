"""Equivariant linear maps: law for every group, all maps, a plain function of their parameters."""

import copy
import pickle

import jaxtyping
import pytest
import torch

from learnsym import groups
from learnsym.equivariant import EquivariantLinear, FeatureField, FieldType
from learnsym.symmetry import Symmetry

GROUPS = [groups.Cyclic(3), groups.Dihedral(4), groups.SO2(), groups.O2(), groups.SO3(), groups.O3()]


def layer_of(group):
    fields = FieldType.all_irreps(group, 2, None if group.order else 2)
    return EquivariantLinear(fields, fields + FieldType.regular(group, 1) if group.order else fields).double()


@pytest.fixture(params=GROUPS, ids=str)
def layer(request):
    return layer_of(request.param)


def test_commutes_with_the_group(layer):
    group = layer.in_type.group
    g, x = group.haar(20, dtype=torch.float64), torch.randn(20, layer.in_type.size, dtype=torch.float64)
    law = Symmetry(group, FeatureField(layer.in_type), FeatureField(layer.out_type))
    assert (layer(law.on_input(g, x)) - law.on_output(g, layer(x))).abs().max() < 1e-10
    assert torch.allclose(layer.plain()(x), layer(x))


def test_keeps_the_variance():
    group = groups.Dihedral(4)
    fields = FieldType.regular(group, 40)
    assert 0.7 < EquivariantLinear(fields, fields)(torch.randn(100, fields.size)).var() < 1.4


def test_copies_and_transforms(layer, monkeypatch):
    x = torch.randn(3, layer.in_type.size, dtype=torch.float64)
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x), layer(x))
    layer(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in layer.parameters())
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    assert torch.allclose(compiled(x), layer(x))


def test_errors_name_the_remedy():
    a, b = FieldType.irreps(groups.SO2(), {0: 1}), FieldType.irreps(groups.SO2(), {1: 1})
    with pytest.raises(ValueError, match="no map leads"):
        EquivariantLinear(a, b)
    with pytest.raises(ValueError, match="must be one group"):
        EquivariantLinear(a, FieldType.irreps(groups.O2(), {0: 1}))
