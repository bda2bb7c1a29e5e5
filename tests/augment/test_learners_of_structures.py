"""Learners of structured inputs and outputs: the numbers of the same network of one tensor."""

import copy

import jaxtyping
import pytest
import torch
from structured import FORMS, Structured, times, weights
from test_augmented import CASES
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, InstanceBox, InstanceCategorical, OrbitAveraged, Plain, fixed
from learnsym.groups import SO2, Cyclic

forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def augmented(name):
    net, symmetry, data = CASES[name]
    return net().double(), symmetry(), lambda net, s: Augmented(net, s, copies=2, test_copies=3).double(), data()


def instance_wise(make_law, symmetry):
    net, _, data = CASES["rotation"]
    law = make_law(nn.Sequential(nn.Flatten(), nn.LazyLinear(4 if symmetry == "quarter_turns2d" else 1)).double())
    law.net(data())
    symmetry = ls.symmetry_by_name(symmetry)
    return net().double(), symmetry, lambda net, s: Augmented(net, s, law, copies=2).double(), data()


def orbit(symmetry):
    net, _, data = CASES["rotation"]
    return net().double(), ls.symmetry_by_name(symmetry), lambda net, s: OrbitAveraged(net, s).double(), data()


def boxed():
    net, symmetry, data = CASES["rotation"]
    law = fixed(SO2(), {"rotation": 60.0})
    return net().double(), symmetry(), lambda net, s: Augmented(net, s, law, copies=2).double(), data()


LEARNERS = {name: lambda name=name: augmented(name) for name in CASES} | {
    "instance box": lambda: instance_wise(lambda net: InstanceBox(SO2(), net).double(), "rotation2d"),
    "instance categorical": lambda: instance_wise(
        lambda net: InstanceCategorical(Cyclic(4), net).double(), "quarter_turns2d"
    ),
    "orbit of turns": lambda: orbit("quarter_turns2d"),
    "orbit of the circle": lambda: orbit("rotation2d"),
    "fixed": boxed,
}


def same_draws(model, x):
    torch.manual_seed(3)
    return model(x)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", LEARNERS)
@forms
def test_a_structured_twin_gives_the_same_numbers(form, name, training):
    net, symmetry, learner, x = LEARNERS[name]()
    plain = learner(net, symmetry).train(training)
    twin = learner(Structured(copy.deepcopy(net), form), form.at(symmetry)).train(training)
    w = weights(x)
    expected = times(w, same_draws(plain, x))
    torch.testing.assert_close(same_draws(twin, form.wrap(x, w)), expected)


@forms
def test_targets_move_together_with_one_part(form):
    net, symmetry, learner, x = LEARNERS["equivariant_affine"]()
    plain, twin = learner(net, symmetry), learner(Structured(net, form), form.at(symmetry))
    g = plain.elements(x)
    moved, y = twin.together(form.wrap(x, weights(x)), x, ls.actions.Image(), g)
    torch.testing.assert_close(twin.symmetry.moving(moved), y)
    torch.testing.assert_close(y, plain.together(x, x, ls.actions.Image(), g)[0])


@forms
def test_a_plain_twin_has_the_same_interface(form):
    net, symmetry, _, x = LEARNERS["rotation"]()
    structured, data = Structured(net, form), form.wrap(x, weights(x))
    assert torch.equal(Plain(structured, form.output)(data), form.at(symmetry).output(structured(data)))


@pytest.mark.slow
def test_a_structured_model_compiles(monkeypatch):
    # the compiler cannot trace the type checker
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    form = FORMS["dict to dataclass"]
    net, symmetry, learner, x = LEARNERS["rotation"]()
    model = learner(Structured(net, form), form.at(symmetry)).eval()
    data = form.wrap(x, weights(x))
    torch.testing.assert_close(torch.compile(model, backend="eager")(data), model(data))


@pytest.mark.parametrize(
    ("symmetry", "data", "message"),
    [
        (ls.symmetry.rotation2d(), {"image": torch.rand(2, 2, 12, 12)}, "of which one tensor moves; say which, as by"),
        (ls.symmetry.rotation2d().at("img"), {"image": torch.rand(2, 2, 12, 12)}, "'img', but there is a dict with"),
        (
            ls.symmetry.rotation2d().at("image"),
            {"image": torch.rand(2, 2, 12, 12), "w": torch.ones(3)},
            r"different numbers of examples \(2 in image, 3 in w\)",
        ),
        (
            ls.symmetry.rotation2d().at("image"),
            {"image": torch.rand(2, 2, 12, 12), "w": torch.ones(2)},
            "the model returns a Out with parts logits, hidden, of which one",
        ),
    ],
)
@pytest.mark.parametrize("learner", [Augmented, OrbitAveraged])
def test_what_is_not_said_is_asked_for(learner, symmetry, data, message):
    model = learner(Structured(CASES["rotation"][0](), FORMS["dict to dataclass"]), symmetry)
    with pytest.raises(ValueError, match=message):
        model(data)
