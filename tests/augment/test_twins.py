"""Laws of the twins and of the averages."""

import copy
import pickle

import jaxtyping
import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.augment import AugmentConfig, OrbitAveraged, averages, build, equivariant, quadrature, twin

KINDS = ("learned", "plain", "fixed", "exact")
EXACT = ("quarter_turns2d", "flip2d", "square2d")


def net():
    return ls.nets.CNN(1, 4, width=4, size=12, depth=2)


def images(dtype=torch.float64):
    return torch.rand(5, 1, 12, 12, dtype=dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_twins_share_the_network(kind):
    shared = net()
    model = twin(shared, ls.symmetry_by_name("rotation2d"), kind)
    assert model.plain() is shared
    assert model(images(torch.float32)).shape == (5, 4)
    extra = {key for key, _ in model.named_parameters()} - {f"net.{key}" for key, _ in shared.named_parameters()}
    assert extra == ({"distribution.width.raw"} if kind == "learned" else set())
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        x = images(torch.float32)
        torch.testing.assert_close(other.eval()(x), model.eval()(x))


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


def test_training_and_evaluation_of_the_exact_twin_agree():
    model = twin(net(), ls.symmetry_by_name("rotation2d"), "exact").double()
    x = images()
    torch.testing.assert_close(model.train()(x), model.eval()(x))


@pytest.mark.parametrize("name", ["rotation2d", "orthogonal2d", "square2d", "so3", "o3", "permutation4"])
def test_quadrature_averages_to_haar(name):
    group = ls.symmetry_by_name(name).group
    elements = quadrature(group, 64)
    assert group.contains(elements, atol=1e-5).all()
    mean = group.haar(20_000).mean(0)
    torch.testing.assert_close(elements.mean(0), mean, atol=0.08, rtol=0)


def test_fixed_twin_has_the_copies_of_the_learned_one():
    config = AugmentConfig(symmetry="affine2d", fixed={"rotation": 30.0, "translation_x": 0.1}, test_copies=6)
    learned, fixed = (build(net(), AugmentConfig(**{**vars(config), "twin": kind})) for kind in ("learned", "fixed"))
    assert learned.test_copies == fixed.test_copies == 6
    found = {degree.generator: degree.estimate for degree in fixed.degrees("input")}
    assert found["rotation"] == pytest.approx(30.0, rel=1e-5)
    assert found["translation_x"] == pytest.approx(0.1, rel=1e-5)
    assert found["shear"] == 0.0


def test_exact_twin_takes_its_own_symmetry():
    model = build(net(), AugmentConfig(twin="exact", symmetry="affine2d", exact="rotation2d", orbit=12))
    assert model.symmetry.name == "SO(2)" and len(model.elements) == 12


def test_outputs_move_when_the_configuration_says_so():
    model = build(nn.Conv2d(1, 2, 1), AugmentConfig(output="equivariant"))
    assert isinstance(model.symmetry.on_output, ls.actions.Image)


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
    "orbit": lambda: AugmentConfig(orbit=0),
    "copies": lambda: AugmentConfig(copies=0),
    "test_copies": lambda: AugmentConfig(test_copies=-1),
    "init": lambda: AugmentConfig(init=0.0),
    "twin": lambda: AugmentConfig(twin="other"),
    "output": lambda: AugmentConfig(output="other"),
    "average": lambda: AugmentConfig(average="median"),
    "fixed: got": lambda: AugmentConfig(fixed={"rotation": -1.0}),
    "fixed: aff": lambda: build(net(), AugmentConfig(twin="fixed", fixed={"rotate": 1.0})),
    "kind": lambda: twin(net(), ls.symmetry_by_name("rotation2d"), "other"),
    "group": lambda: twin(net(), ls.symmetry_by_name("affine2d"), "exact"),
    "count": lambda: quadrature(ls.groups.O2(), 7),
    "elements": lambda: OrbitAveraged(net(), ls.symmetry_by_name("rotation2d"), 2 * torch.eye(2)[None]),
    "symmetry": lambda: build(net(), AugmentConfig(symmetry="other")),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message, monkeypatch):
    # the type checker would be first to refuse what is no member of a Literal
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=f"(?i)^{message}"):
        BAD[message]()
