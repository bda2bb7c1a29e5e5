"""Laws of hypotheses: the first is the plain network, the others averages; the posterior gives degrees."""

import copy
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, Hypotheses, laws, mean_outputs
from learnsym.augment.laws import different, named
from learnsym.export import frozen
from learnsym.groups import SO2, Affine2
from learnsym.symmetry import symmetry_by_name

GROUPS = ("rotation2d", "affine2d", "translation2d", "flip2d", "quarter_turns2d", "orthogonal2d", "colour", "square2d")


def network():
    torch.manual_seed(0)
    return ls.nets.CNN(1, 3, width=2, size=8, depth=1)


def images(count=5):
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def believing(model, **probabilities):
    """The model with a posterior, by name of hypothesis."""
    model.probabilities.zero_()
    for name, value in probabilities.items():
        model.probabilities[model.names.index(name.replace("_", " "))] = value
    return model


@pytest.mark.parametrize("name", GROUPS)
def test_laws_of_every_group_are_different_and_give_elements_of_it(name):
    group = symmetry_by_name(name).group
    found = laws(group)
    for law in found:
        draws = law().rsample((50,))
        assert bool(group.contains(draws, atol=1e-4).all())
    estimates = [tuple(round(degree.estimate, 6) for degree in law.degrees("input")) for law in found]
    assert len(set(estimates)) == len(estimates) >= 2
    assert any(estimate > 0 for estimate in estimates[-1])


def test_the_first_hypothesis_is_the_network_and_others_are_its_averages():
    net, x = network(), images()
    model = Hypotheses(copy.deepcopy(net), "rotation2d", test_copies=4).eval()
    for h, law in enumerate([None, *laws(ls.groups.SO2())]):
        twin = net if law is None else Augmented(net, "rotation2d", law, test_copies=4)
        assert torch.equal(model.member_outputs(h, x, 4), twin.eval()(x))


def test_it_predicts_with_the_chosen_hypothesis():
    model, x = Hypotheses(network(), "rotation2d", test_copies=4).eval(), images()
    assert model.chosen == 1
    for h in (0, 2):
        model.choose(h)
        assert model.chosen == h and torch.equal(model(x), model.member_outputs(h, x, 4))
    model.member(2).test_copies = 2
    assert model.single is model.member(2) and model.single.test_copies == 4


def test_the_degree_is_the_posterior_mean_with_an_interval_on_the_grid():
    model = believing(Hypotheses(network(), "rotation2d"), rotation_60=0.5, rotation_90=0.5)
    (degree,) = ls.degrees(model)
    assert degree.estimate == pytest.approx(75)
    assert (degree.low, degree.high) == pytest.approx((30, 120))
    (none,) = ls.degrees(believing(model, none=1.0))
    assert (none.estimate, none.low, none.high) == pytest.approx((0, 0, 15))
    (full,) = ls.degrees(believing(model, rotation_180=1.0))
    assert (full.estimate, full.low, full.high) == pytest.approx((180, 120, 180))


def test_before_any_evidence_every_hypothesis_is_as_probable():
    model = Hypotheses(network(), "affine2d")
    posterior = model.posterior()
    assert posterior["none"] == pytest.approx(1 / len(posterior))
    assert [degree.generator for degree in ls.degrees(model)] == [each.name for each in Affine2().generators]
    assert all(degree.low == 0 for degree in ls.degrees(model))


def test_wider_means_as_much_of_every_generator():
    model = Hypotheses(network(), "affine2d")
    alone = model.names.index("rotation 180")
    narrow, wide = (next(h for h, name in enumerate(model.names) if f"rotation {w}, scale" in name) for w in (30, 90))
    assert model.is_wider(narrow, wide) and not model.is_wider(wide, narrow) and not model.is_wider(narrow, narrow)
    assert not model.is_wider(narrow, alone) and not model.is_wider(alone, narrow)
    assert all(model.is_wider(0, h) for h in (narrow, wide, alone))


def test_beside_every_rotation_all_other_generators_are_a_little_open():
    found = [{d.generator: d.estimate for d in law.degrees("input")} for law in laws(Affine2())]
    together = [widths for widths in found if widths["shear"] > 0]
    assert sorted(round(widths["rotation"]) for widths in together) == [0, 15, 30, 60, 90, 180]
    assert all(
        widths[name] == pytest.approx(0.05) for widths in together for name in ("translation_x", "translation_y")
    )
    (alone,) = (widths for widths in found if widths not in together)
    assert [name for name, width in alone.items() if width > 0] == ["rotation"] and alone["rotation"] > 179


def test_every_hypothesis_is_there_once():
    law = laws(SO2())[0]
    with pytest.raises(ValueError, match="laws: rotation 15 is there twice"):
        Hypotheses(network(), "rotation2d", [law, law])
    assert [named(law) for law in different([*laws(SO2()), *laws(SO2())])] == list(
        Hypotheses(network(), "rotation2d").names
    )[1:]


def test_what_was_found_is_in_the_state():
    model, x = Hypotheses(network(), "rotation2d"), images()
    model.choose(2)
    believing(model, rotation_30=1.0)
    fresh = Hypotheses(network(), "rotation2d")
    fresh.load_state_dict(model.state_dict())
    for twin in (fresh, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin.eval()(x), model.eval()(x)) and ls.degrees(twin) == ls.degrees(model)


def test_the_chosen_network_is_exported():
    model, x = Hypotheses(network(), "rotation2d"), images()
    model.choose(3)
    torch.testing.assert_close(frozen(model, x)(x), model.eval()(x), rtol=1e-4, atol=1e-5)
    assert not any("laws" in name for name in frozen(model, x).state_dict())


def test_without_laws_is_one_sentence():
    with pytest.raises(ValueError, match=r"^laws: got none, must be at least one"):
        Hypotheses(nn.Flatten(), "rotation2d", [], average=mean_outputs)
