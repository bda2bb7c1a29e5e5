"""Laws of the twins of Augerino, and of what it holds together with layers that learn, too."""

import copy
import pickle

import jaxtyping
import pytest
import torch

import learnsym as ls
from learnsym.methods import Setup, registry
from learnsym.nets import NetConfig

Augerino = registry["augerino"]
TWINS = Augerino.twins
DATA = ls.data.Signature(in_shape=(1, 12, 12), classes=4)
FIXED = {"rotation": 30.0, "translation_x": 0.1}


def twin(name, net="cnn", **settings):
    torch.manual_seed(0)
    setup = Setup(net=NetConfig(name=net, width=4, depth=2), data=DATA, twin=name)
    return Augerino(**settings).model(setup)


@pytest.mark.parametrize("name", TWINS)
def test_twins_share_the_network(name):
    model, plain = twin(name, symmetry="rotation2d"), twin("plain")
    x = torch.rand(5, 1, 12, 12)
    assert model(x).shape == (5, 4)
    shared = plain.net.state_dict()
    assert all(torch.equal(value, shared[key]) for key, value in model.plain().state_dict().items())
    extra = {key for key, _ in model.named_parameters()} - {f"net.{key}" for key in shared}
    assert extra == ({"distribution.width.raw"} if name == "learned" else set())
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(other.eval()(x), model.eval()(x))


def test_training_and_evaluation_of_the_exact_twin_agree():
    model, x = twin("exact").double(), torch.rand(5, 1, 12, 12, dtype=torch.float64)
    torch.testing.assert_close(model.train()(x), model.eval()(x))


def test_the_fixed_twin_has_the_copies_of_the_learned_one():
    learned, fixed = (twin(name, fixed=FIXED, test_copies=6) for name in ("learned", "fixed"))
    assert learned.test_copies == fixed.test_copies == 6
    found = {degree.generator: degree.estimate for degree in ls.degrees(fixed)}
    assert found["rotation"] == pytest.approx(30.0, rel=1e-5)
    assert found["translation_x"] == pytest.approx(0.1, rel=1e-5)
    assert found["shear"] == 0.0


def test_the_exact_twin_takes_its_own_symmetry():
    model = twin("exact", symmetry="affine2d", exact="rotation2d", orbit=12)
    assert model.symmetry.name == "SO(2)" and len(model.elements) == 12


def test_outputs_move_when_the_configuration_says_so():
    model = twin("learned", net="segmentation", output="equivariant")
    assert isinstance(model.symmetry.on_output, ls.actions.Image)


BAD = {
    "method.orbit": lambda: Augerino(orbit=0),
    "method.copies": lambda: Augerino(copies=0),
    "method.test_copies": lambda: Augerino(test_copies=-1),
    "method.init": lambda: Augerino(init=0.0),
    "method.output": lambda: Augerino(output="other"),
    "method.average": lambda: Augerino(average="median"),
    "method.regulariser": lambda: Augerino(regulariser="other"),
    "method.fixed: got": lambda: Augerino(fixed={"rotation": -1.0}),
    "fixed: aff": lambda: twin("fixed", fixed={"rotate": 1.0}),
    "group": lambda: twin("exact", exact="affine2d"),
    "method.symmetry": lambda: Augerino(symmetry="other"),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message, monkeypatch):
    # the type checker would be first to refuse what is no member of a Literal
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=f"(?i)^{message}"):
        BAD[message]()


def test_a_law_set_by_hand_is_no_second_hypothesis():
    """Where it is one of those that are looked at anyway."""
    names = [_hypotheses(fixed).names for fixed in ({}, {"rotation": 180.0}, {"rotation": 0.0}, {"rotation": 45.0})]
    assert names[0] == names[1] == names[2] and names[3] == (*names[0], "rotation 45")


def _hypotheses(fixed):
    net, chooser = NetConfig(name="cnn", width=4, depth=2), ls.objectives.choosers.registry["selection"]()
    setup = Setup(net=net, data=DATA, twin="learned", chooser=chooser)
    return Augerino(symmetry="rotation2d", fixed=fixed).model(setup)
