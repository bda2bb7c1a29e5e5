"""Field types and their action."""

import pytest
import torch

import learnsym as ls
from learnsym import groups
from learnsym.equivariant import Constant, FeatureField, FieldType
from learnsym.representations import Irrep, Regular

D4 = groups.Dihedral(4)


def test_sections_cover_the_channels():
    fields = FieldType.trivial(D4, 2) + FieldType.regular(D4, 3) + FieldType.irreps(D4, {1: 2, (0, 1): 1})
    assert fields.size == 2 + 24 + 4 + 1 and fields.fields == 8
    assert [(rep.size, count, part.stop - part.start) for rep, count, part in fields.sections()] == [
        (1, 2, 2),
        (8, 3, 24),
        (2, 2, 4),
        (1, 1, 1),
    ]
    assert repr(fields) == "D_4: 2 x irrep 0 + 3 x regular + 2 x irrep 1 + 1 x irrep 0-"
    assert (
        not fields.is_permutation and FieldType.regular(D4, 1).is_permutation and FieldType.trivial(D4, 1).is_invariant
    )


@pytest.mark.parametrize("fields", [FieldType.regular(D4, 2), FieldType.all_irreps(groups.O2(), 2, 3)], ids=str)
@pytest.mark.parametrize("shape", [(), (6, 6)])
def test_the_action_is_one(fields, shape):
    action, group = FeatureField(fields), fields.group
    g, h = D4.components[[1, 5, 3]], D4.components[[2, 6, 7]]
    x = torch.randn(3, fields.size, *shape, dtype=torch.float64)
    torch.testing.assert_close(action(g, action(h, x)), action(g @ h, x))
    action.check(group)
    action.check_data(group, x)


def test_restriction_keeps_the_matrices():
    fields = FieldType.regular(D4, 2) + FieldType.trivial(D4, 1)
    smaller = fields.restricted(groups.Cyclic(2))
    x, g = torch.randn(2, fields.size), groups.Cyclic(2).elements()
    torch.testing.assert_close(smaller.mix(g, x), fields.mix(g, x))
    assert smaller.restricted(groups.Cyclic(1)).size == fields.size


def test_a_constant_keeps_its_digits():
    exact = torch.rand(5, dtype=torch.float64)
    module = torch.nn.Sequential(Constant(exact))
    assert module[0]().dtype == torch.float32 and not module.state_dict()
    assert torch.equal(module.double()[0](), exact) and torch.equal(module.float().double()[0](), exact)


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("is a representation of D_4, must be one of C_4", lambda: FieldType(groups.Cyclic(4), ((Regular(D4), 1),))),
        ("got 0 fields of regular, must be at least 1", lambda: FieldType.regular(D4, 0)),
        ("parts: got none", lambda: FieldType(D4, ())),
        ("frequency: got 9", lambda: FieldType.irreps(D4, {9: 1})),
        ("group: got C_4, must be D_4", lambda: FeatureField(FieldType.regular(D4, 1)).check(groups.Cyclic(4))),
        (
            "x: got 3 channels, must have the 8 of D_4",
            lambda: FeatureField(FieldType.regular(D4, 1)).check_data(D4, torch.rand(2, 3)),
        ),
    ],
)
def test_bad_input_is_named(message, make):
    with pytest.raises(ValueError, match=message):
        make()


def test_measures_apply_to_single_layers():
    image, fields = FieldType.trivial(D4, 1), FieldType.regular(D4, 2)
    layer = ls.equivariant.SteerableConv(image, fields, 3, padding=1)
    symmetry = ls.Symmetry(D4, FeatureField(image), FeatureField(fields))
    found = ls.measure.equivariance_error(layer, torch.rand(8, 1, 9, 9), symmetry)
    assert found.error.mean < 1e-5 if hasattr(found, "error") else found.mean < 1e-5
    assert Irrep(D4, 0).is_trivial
