"""Measures of models of several inputs and outputs: the numbers of the same model of one tensor."""

import numpy as np
import pytest
import torch
from structured import FORMS, Structured, weights
from torch import nn

import learnsym as ls
from learnsym import actions, measure
from learnsym.parts import mapped

TURNS = ls.symmetry_by_name("quarter_turns2d")
ROTATION = ls.symmetry_by_name("rotation2d")
COUNT = 6


def images():
    return torch.rand(COUNT, 2, 8, 8, generator=torch.Generator().manual_seed(0))


def network():
    torch.manual_seed(1)
    layers = [nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(256, 3)]
    return nn.Sequential(*layers)


def targets():
    return torch.randn(COUNT, 3, generator=torch.Generator().manual_seed(2))


def right(x):
    return measure.pixel_shifts(x, [(2, 0)])


MEASURES = {
    "equivariance_error": lambda m, x, at: measure.equivariance_error(m, x, at(ROTATION), 3),
    "interpolation_floor": lambda m, x, at: measure.interpolation_floor(x, at(ROTATION), 3),
    "exactness_test": lambda m, x, at: measure.exactness_test(m, x, at(TURNS), 3),
    "effective_invariance": lambda m, x, at: measure.effective_invariance(m, x, at(TURNS)),
    "consistency": lambda m, x, at: measure.consistency(m, x, at(ROTATION), 3),
    "error_curve": lambda m, x, at: measure.error_curve(m, x, at(TURNS)),
    "g_eed": lambda m, x, at: measure.g_eed(m, x, at(TURNS)),
    "remul_errors": lambda m, x, at: measure.remul_errors(m, x, at(ROTATION), 3),
    "twirl": lambda m, x, at: measure.twirl(m, x, targets(), at(ROTATION), samples=3),
    "local_error": lambda m, x, at: measure.local_equivariance_error(m, x, at(ROTATION)),
    "local_error double": lambda m, x, at: measure.local_equivariance_error(m, x, at(ROTATION), backend="double"),
    "affine local_error": lambda m, x, at: measure.local_equivariance_error(m, x, at(ls.symmetry.affine2d())),
}


def numbers(found):
    """All estimates of a result, whatever holds them."""
    if isinstance(found, measure.Estimate):
        return found.per_sample.double()
    values = found if isinstance(found, tuple) else vars(found).values()
    kept = [each for each in values if isinstance(each, tuple) or hasattr(each, "__dataclass_fields__")]
    kept = [each for each in kept if not isinstance(each, measure.Quadrature)]
    return torch.cat([numbers(each) for each in kept])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("name", MEASURES)
def test_a_structured_twin_has_the_same_numbers(name, form):
    net, x = network(), images()
    ask = MEASURES[name]
    expected = ask(net, x, lambda symmetry: symmetry)
    found = ask(Structured(net, form), form.wrap(x, torch.ones(COUNT)), form.at)
    torch.testing.assert_close(numbers(found), numbers(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_layers_and_attribution_of_a_structured_twin(form):
    net, x = network(), images()
    twin, data = Structured(net, form), form.wrap(x, torch.ones(COUNT))
    scores = measure.layer_scores(net, x, TURNS).scores
    of_twin = measure.layer_scores(twin, data, form.at(TURNS)).scores
    for name, score in scores.items():
        torch.testing.assert_close(numbers(of_twin[f"net.{name}"]), numbers(score), rtol=1e-4, atol=1e-5)
    found = measure.attribute(twin, data, form.at(ROTATION), batch_size=4)
    expected = measure.attribute(net, x, ROTATION, batch_size=4)
    of_sites = {row.site.removeprefix("net."): row.share.mean for row in found.rows}
    for row in expected.rows:
        assert of_sites[row.site] == pytest.approx(row.share.mean, abs=1e-4)
    assert abs(found.unattributed) < 1e-4


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_other_parts_stay_with_their_examples(form):
    """A weight of its own for each example, which no other example may get: errors are weighted, batch by batch."""
    net, x = network(), images()
    w = weights(x).float()
    twin, data = Structured(net, form), form.wrap(x, w)
    errors = [
        measure.remul_errors(*pair, 3, batch_size=4).deviation.per_sample
        for pair in [(twin, data, form.at(ROTATION)), (net, x, ROTATION)]
    ]
    torch.testing.assert_close(errors[0], errors[1] * w, rtol=1e-4, atol=1e-5)
    local = [
        measure.local_equivariance_error(*pair, batch_size=4).rows[0].lee.per_sample
        for pair in [(twin, data, form.at(ROTATION)), (net, x, ROTATION)]
    ]
    torch.testing.assert_close(local[0], local[1] * w.square(), rtol=1e-4, atol=1e-5)


def test_an_axis_of_a_part():
    x = torch.randn(8, 4, 3)
    cloud = actions.PointCloud()

    def falling(x):
        return {"next": x["at"] + x["pull"][:, None, None] * torch.tensor([0.0, 0.0, -5.0])}

    found = measure.residual_axis(
        falling, {"at": x, "pull": torch.ones(8)}, actions.On("at", cloud), actions.On("next", cloud)
    )
    assert found.angle_to((0, 0, 1)) < 1e-3


@pytest.mark.parametrize("name", MEASURES)
def test_arrays_and_names(name):
    net, x = network(), images()
    ask, words = MEASURES[name], {"SO(2)": "rotation2d", "C_4": "quarter_turns2d", "Aff(2)": "affine2d"}
    expected = ask(net, x, lambda symmetry: symmetry)
    # doubles, as NumPy makes them, become what the weights are
    found = ask(net, x.double().numpy(), lambda symmetry: words.get(symmetry.name, "affine2d"))
    torch.testing.assert_close(numbers(found), numbers(expected), rtol=1e-4, atol=1e-5)


def test_arrays_in_structures():
    form, net, x = FORMS["dict to dataclass"], network(), images()
    data = form.wrap(x, torch.ones(COUNT))
    arrays = mapped(lambda t: t.double().numpy(), data)
    twin = Structured(net, form)
    found, expected = (measure.equivariance_error(twin, each, form.at(TURNS)) for each in (arrays, data))
    assert torch.equal(found.per_sample, expected.per_sample)
    assert isinstance(arrays["image"], np.ndarray)


def test_an_output_by_its_name():
    form, net, x = FORMS["tuple to dict"], network(), images()

    def model(x):
        return form.give(net(x))

    expected = measure.equivariance_error(net, x, "rotation2d")
    found = [
        measure.equivariance_error(model, x, "rotation2d", output="scores"),
        measure.equivariance_error(model, x, ROTATION.at(output="scores")),
        # of a model that has taken it out itself
        measure.equivariance_error(net, x, ROTATION.at(output="scores")),
    ]
    assert all(torch.equal(each.per_sample, expected.per_sample) for each in found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: measure.equivariance_error(m, {"a": x}, TURNS), "one tensor moves; say which, as by symmetry.at"),
        (
            lambda m, x: measure.equivariance_error(m, {"a": x}, TURNS.at("b")),
            "got 'b', but there is a dict with keys a",
        ),
        (
            lambda m, x: measure.g_eed(m, {"a": x, "b": x[1:]}, TURNS.at("a")),
            r"different numbers of examples \(6 in a, 5 in b\)",
        ),
        (lambda m, x: measure.g_eed(m, x, TURNS, output="logits"), "output: got 'logits', but there is one tensor"),
        (lambda m, x: measure.g_eed(lambda x: {"y": m(x)}, x, TURNS), "dict with keys y, must be one tensor; name a"),
        (lambda m, x: measure.g_eed(m, np.array(["a"] * 6), TURNS), "x: got an array of <U1, must be numbers"),
        (lambda m, x: measure.discover_generators(m, {"a": x}), "x: got a dict with keys a, must be one tensor here"),
        (
            lambda m, x: measure.merge_barrier(m, {"a": x}, torch.eye(2)),
            "x: got a dict with keys a, must be one tensor",
        ),
        (lambda m, x: measure.g_eed(m, x, "turns"), "symmetry: got 'turns', must be one of"),
    ],
)
def test_what_is_not_said_is_asked_for(call, message):
    with pytest.raises(ValueError, match=message):
        call(network(), images())
