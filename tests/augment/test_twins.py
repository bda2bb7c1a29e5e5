"""Laws of parts of the twins and of the averages."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.augment import OrbitAveraged, averages, equivariant, fixed, quadrature

EXACT = ("quarter_turns2d", "flip2d", "square2d")


def net():
    return ls.nets.CNN(1, 4, width=4, size=12, depth=2)


def images(dtype=torch.float64):
    return torch.rand(5, 1, 12, 12, dtype=dtype)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("average", averages)
def test_orbit_average_is_exactly_invariant(name, average):
    symmetry = ls.symmetry_by_name(name)
    model = OrbitAveraged(net(), symmetry, average=averages[average]).double()
    x = images()
    for g in symmetry.group.elements(dtype=torch.float64):
        torch.testing.assert_close(model(symmetry.on_input(g.expand(5, -1, -1), x)), model(x))


@pytest.mark.parametrize("name", EXACT)
def test_orbit_average_is_exactly_equivariant(name):
    symmetry = equivariant(ls.symmetry_by_name(name))
    model = OrbitAveraged(nn.Conv2d(1, 3, 3, padding=1), symmetry).double()
    x = images()
    for g in symmetry.group.elements(dtype=torch.float64):
        g = g.expand(5, -1, -1)
        torch.testing.assert_close(model(symmetry.on_input(g, x)), symmetry.on_output(g, model(x)))


def test_training_and_evaluation_of_an_orbit_average_agree():
    symmetry = ls.symmetry_by_name("rotation2d")
    model = OrbitAveraged(net(), symmetry, quadrature(symmetry.group, 8)).double()
    x = images()
    torch.testing.assert_close(model.train()(x), model.eval()(x))


@pytest.mark.parametrize("name", ["rotation2d", "orthogonal2d", "square2d", "so3", "o3", "permutation4"])
def test_quadrature_averages_to_haar(name):
    group = ls.symmetry_by_name(name).group
    elements = quadrature(group, 64)
    assert group.contains(elements, atol=1e-5).all()
    mean = group.haar(20_000).mean(0)
    torch.testing.assert_close(elements.mean(0), mean, atol=0.08, rtol=0)


def test_a_fixed_law_has_the_half_widths_that_are_asked_for():
    law = fixed(ls.groups.Affine2(), {"rotation": 30.0, "translation_x": 0.1})
    found = {degree.generator: degree.estimate for degree in law.degrees("input")}
    assert found["rotation"] == pytest.approx(30.0, rel=1e-5)
    assert found["translation_x"] == pytest.approx(0.1, rel=1e-5)
    assert found["shear"] == 0.0


def test_averages_of_equal_outputs_are_that_output():
    logits = torch.randn(4, 3, dtype=torch.float64)
    stacked = logits.expand(5, -1, -1)
    torch.testing.assert_close(averages["outputs"](stacked), logits)
    torch.testing.assert_close(averages["log_probabilities"](stacked), logits.log_softmax(-1))
    torch.testing.assert_close(averages["probabilities"](stacked), logits.log_softmax(-1))


def test_mean_of_probabilities():
    stacked = torch.randn(5, 4, 3, 2, 2, dtype=torch.float64)
    torch.testing.assert_close(averages["probabilities"](stacked).exp(), stacked.softmax(2).mean(0))


BAD = {
    "fixed: aff": lambda: fixed(ls.groups.Affine2(), {"rotate": 1.0}),
    "group": lambda: quadrature(ls.groups.Affine2(), 8),
    "count": lambda: quadrature(ls.groups.O2(), 7),
    "elements": lambda: OrbitAveraged(net(), ls.symmetry_by_name("rotation2d"), 2 * torch.eye(2)[None]),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message):
    with pytest.raises(ValueError, match=f"(?i)^{message}"):
        BAD[message]()
