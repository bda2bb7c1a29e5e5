"""Laws of pooling over cosets."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import CosetPool, FeatureField, FieldType, InvariantPool
from learnsym.groups import Cyclic, Dihedral
from learnsym.representations import Irrep, Quotient, Regular

PAIRS = [
    (Cyclic(4), None),
    (Cyclic(4), Cyclic(2)),
    (Cyclic(6), Cyclic(3)),
    (Dihedral(4), None),
    (Dihedral(4), Cyclic(4)),
    (Dihedral(4), Dihedral(1)),
    (Dihedral(2), Cyclic(1)),
]


def _pool(group, subgroup, reduce="max") -> CosetPool:
    return CosetPool(FieldType(group, ((Regular(group), 3), (Irrep(group, 0), 2))), reduce, subgroup)


@pytest.mark.parametrize("reduce", ["max", "mean"])
@pytest.mark.parametrize(("group", "subgroup"), PAIRS, ids=str)
def test_commutes_with_the_group(group, subgroup, reduce):
    pool, g = _pool(group, subgroup, reduce), group.components
    x = torch.randn(len(g), pool.in_type.size, dtype=torch.float64)
    symmetry = ls.Symmetry(group, FeatureField(pool.in_type), FeatureField(pool.out_type))
    assert float((pool(symmetry.on_input(g, x)) - symmetry.on_output(g, pool(x))).abs().max()) <= 1e-10
    assert pool(x).shape[1] == pool.out_type.size
    assert pool.out_type.is_invariant == (subgroup is None)


@pytest.mark.parametrize("reduce", ["max", "mean"])
def test_over_the_whole_group_it_is_the_invariant_pool(reduce):
    fields = FieldType.regular(Dihedral(4), 3)
    x = torch.randn(2, 24, 5, 5)
    assert torch.equal(CosetPool(fields, reduce)(x), InvariantPool(fields, reduce)(x))


def test_in_two_steps():
    group = Dihedral(4)
    fields = FieldType.regular(group, 2)
    first = CosetPool(fields, "mean", Cyclic(2))
    x = torch.randn(3, fields.size, 4, 4)
    assert first.out_type == FieldType(group, ((Quotient(group, Cyclic(2)), 2),))
    torch.testing.assert_close(CosetPool(first.out_type, "mean")(first(x)), CosetPool(fields, "mean")(x))
    second = CosetPool(first.out_type, "max", Cyclic(4))
    assert second(first(x)).shape == (3, 4, 4, 4)


@pytest.mark.parametrize("reduce", ["max", "mean"])
@pytest.mark.parametrize(("group", "subgroup"), PAIRS, ids=str)
def test_plain_is_the_same_function(group, subgroup, reduce):
    pool = CosetPool(FieldType.regular(group, 3), reduce, subgroup)
    x, plain = torch.randn(2, pool.in_type.size, 5, 4), pool.plain()
    torch.testing.assert_close(plain(x), pool(x))
    assert all(type(module).__module__.startswith("torch.") for module in plain.modules())


def test_copies_pickles_and_compiles():
    pool = _pool(Dihedral(4), Dihedral(1))
    x = torch.randn(2, pool.in_type.size, 3, 3)
    for twin in (copy.deepcopy(pool), pickle.loads(pickle.dumps(pool)), torch.compile(pool, backend="eager")):
        assert torch.equal(twin(x), pool(x))
    assert not pool.state_dict()
    assert torch.func.vmap(lambda example: pool(example[None])[0])(x).shape == pool(x).shape


def test_clear_errors():
    fields = FieldType.regular(Cyclic(4), 1)
    with pytest.raises(ValueError, match="reduce: got 'sum'"):
        CosetPool(fields, "sum")
    with pytest.raises(ValueError, match="InvariantPool"):
        CosetPool(FieldType.irreps(Cyclic(4), {1: 1}))
    with pytest.raises(ValueError, match="must contain C_4"):
        CosetPool(FieldType(Dihedral(4), ((Quotient(Dihedral(4), Cyclic(4)), 1),)), "max", Dihedral(1))
    with pytest.raises(ValueError, match="one kind"):
        _pool(Cyclic(4), None).plain()
    assert isinstance(CosetPool(fields).plain(), nn.Module)
