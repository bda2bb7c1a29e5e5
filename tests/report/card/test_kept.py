"""A card that was kept answers the same question only."""

import json

import pytest
import torch
from torch import nn

from learnsym.report import card
from learnsym.report.card import measuring

SETTINGS = card.CardSettings(samples=2, layer_examples=4, layers=False)


class Net(nn.Module):
    """Two outputs, and an attribute that is in no state_dict."""

    def __init__(self, scale=1.0, weight=1.0, function=torch.tanh):
        super().__init__()
        self.scale, self.function = scale, function
        self.weight = nn.Parameter(torch.full((1,), weight))
        self.register_buffer("hidden", torch.tensor(scale), persistent=False)

    def forward(self, x):
        rows = self.function(self.scale * self.weight * x).mean(-1).flatten(1)
        return {"rows": rows, "columns": self.hidden * x.square().mean(-2).flatten(1)}


class Stated(Net):
    def get_extra_state(self):
        return {"version": 3}

    def set_extra_state(self, state):
        pass


class Unwritable(Net):
    def get_extra_state(self):
        return lambda: None

    def set_extra_state(self, state):
        pass


class Detached(nn.Module):
    def __init__(self, detached):
        super().__init__()
        self.detached = detached

    def forward(self, x):
        return (x.detach() if self.detached else x).flatten(1)


class Random(nn.Module):
    def forward(self, x):
        return x.flatten(1) + torch.rand(())


X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def computed(tmp_path, monkeypatch):
    """Measures, and says which steps were computed."""
    steps = []
    counted = {
        name: lambda it, name=name, make=make: steps.append(name) or make(it) for name, make in measuring.STEPS.items()
    }
    monkeypatch.setattr(measuring, "STEPS", counted)
    monkeypatch.setattr(measuring, "write_page", lambda card: None)

    def measure(model, x=X, key="rows", symmetries=("flip2d",), settings=SETTINGS, y=None):
        steps.clear()
        output = card.output_named(key) if key else None
        examples = card.Examples(name="noise", x=x, y=y)
        subject = card.Subject(name="net", model=model)
        card.measure_model(subject, examples, symmetries, tmp_path, settings, output=output, progress=False)
        return len(steps)

    return measure


def test_the_same_question_is_answered_once(computed):
    assert computed(Net(), symmetries=["flip2d"]) == len(measuring.STEPS)
    assert computed(Net(), symmetries=["flip2d"]) == 0
    assert computed(Net(), symmetries=["flip2d", "quarter_turns2d"]) == len(measuring.STEPS)


@pytest.mark.parametrize(
    "other",
    [
        {"model": Net(scale=2.0)},
        {"model": Net(weight=2.0)},
        {"model": Net(function=torch.sin)},
        {"model": Net(function=lambda x: 1.5 * torch.tanh(x))},
        {"key": "columns"},
        {"x": X + 0.01},
        {"y": X.mean(-1).flatten(1)},
        {"settings": card.CardSettings(samples=3, layers=False)},
        {"settings": card.CardSettings(samples=2, layers=False, seed=1)},
    ],
    ids=["attribute", "weight", "function", "closure", "output", "inputs", "targets", "samples", "seed"],
)
def test_another_question_is_not_answered(computed, other):
    computed(Net())
    assert computed(**{"model": Net(), **other}) == len(measuring.STEPS)


def test_a_detached_input_is_seen(computed):
    computed(Detached(False), key="")
    assert computed(Detached(True), key="") == len(measuring.STEPS)


def test_a_model_that_answers_differently_each_time_is_not_kept(computed):
    computed(Random(), key="")
    assert computed(Random(), key="") == len(measuring.STEPS)


def test_state_that_is_no_tensor(computed):
    assert computed(Stated()) == len(measuring.STEPS)
    assert computed(Stated()) == 0
    assert computed(Unwritable()) == len(measuring.STEPS)
    assert computed(Unwritable()) == len(measuring.STEPS), "kept, although nothing is known of it"


def test_sparse_and_quantised_state(computed):
    class Sparse(Net):
        def __init__(self):
            super().__init__()
            self.register_buffer("graph", torch.eye(3).to_sparse())
            self.register_buffer("coarse", torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8))

    computed(Sparse())
    assert computed(Sparse()) == 0


@pytest.mark.parametrize("damage", ["", "[]", '{"version": 3}', '{"version": 3, "steps": {"flip2d/loss": 3}}', "{"])
def test_a_damaged_card_is_not_used(computed, tmp_path, damage):
    (tmp_path / "card.json").write_text(damage)
    assert computed(Net()) == len(measuring.STEPS)
    assert json.loads((tmp_path / "card.json").read_text())["rows"]


def test_a_step_that_fails_leaves_a_note_and_is_tried_again(tmp_path, monkeypatch):
    def fail(situation):
        raise RuntimeError("a kernel was lost\nfor good")

    examples = card.Examples(name="noise", x=X)
    subject = card.Subject(name="net", model=Detached(False))
    monkeypatch.setitem(measuring.STEPS, "predictions", fail)
    found = card.measure_model(subject, examples, ["flip2d"], tmp_path, SETTINGS, progress=False)
    assert "flip2d, predictions: not measured, since it failed (RuntimeError: a kernel was lost)" in found.notes
    assert found.of("flip2d", "equivariance error")
    monkeypatch.undo()
    found = card.measure_model(subject, examples, ["flip2d"], tmp_path, SETTINGS, progress=False)
    assert found.overall("flip2d", "predictions that stay")
