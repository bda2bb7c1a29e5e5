"""Law of checkpoints: whatever a `state_dict` may hold comes back exactly, or is refused before training."""

from __future__ import annotations

import datetime

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.training import Run, checkpoint, fit

BATCH = torch.randn(8, 3), torch.arange(8) % 2


class Odd(nn.Module):
    """Tied weights, views, numbers of many kinds, and state that is no tensor."""

    def __init__(self, extra=None):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
        self.b.weight = self.a.weight
        self.last = nn.Linear(3, 2).requires_grad_(False)
        self.turned = nn.Parameter(torch.randn(2, 3).T)
        self.register_buffer("scalar", torch.tensor(2))
        self.register_buffer("view", self.a.weight.detach()[1:])
        self.register_buffer("spectrum", torch.randn(3, dtype=torch.complex64).conj())
        self.register_buffer("precise", torch.randn(3, dtype=torch.complex128))
        self.register_buffer("short", torch.randn(3).bfloat16())
        self.register_buffer("none", None)
        self.register_buffer("empty", torch.zeros(0))
        self.extra = extra

    def forward(self, x):
        return self.last(self.b(self.a(x))) + x @ self.turned

    def get_extra_state(self):
        return self.extra

    def set_extra_state(self, state):
        self.extra = state


def trained(model, run):
    fit(model, ls.objectives.Supervised(nn.functional.cross_entropy), [BATCH], steps=3, run=run)
    return model


EXTRA = [{"version": 2}, None, [1, (2.5, "a")], {"t": torch.ones(2), "none": None}, torch.ones(2), b"bytes"]


@pytest.mark.parametrize("extra", EXTRA, ids=lambda extra: type(extra).__name__)
def test_everything_comes_back(tiny, tmp_path, extra):
    run = Run.create(tmp_path / "run", tiny)
    model = trained(nn.Sequential(Odd(extra)), run)
    again = nn.Sequential(Odd())
    again.load_state_dict(run.weights())
    same(again.state_dict(), model.state_dict())
    assert again[0].a.weight is again[0].b.weight
    (run.path / "state.pt").unlink()
    tensors = {name: value for name, value in model.state_dict().items() if isinstance(value, torch.Tensor)}
    same(run.weights(), tensors)


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, torch.Tensor):
            assert found[name].dtype == value.dtype and torch.equal(found[name], value), name
        else:
            assert str(found[name]) == str(value), name


@pytest.mark.parametrize("extra", [datetime.date(2020, 1, 1), {"when": datetime.date(2020, 1, 1)}, lambda: None])
def test_state_that_is_not_safe_to_read_is_refused_at_once(tiny, tmp_path, extra):
    run = Run.create(tmp_path / "run", tiny)
    with pytest.raises(ValueError, match=r"0\._extra_state of its state_dict is .*get_extra_state"):
        trained(nn.Sequential(Odd(extra)), run)
    assert checkpoint.load(run.path) is None and run.metrics() == []


def test_a_buffer_that_cannot_be_loaded_is_refused_at_once(tiny, tmp_path):
    model = Odd()
    model.register_buffer("expanded", torch.ones(1).expand(4))
    with pytest.raises(ValueError, match=r"elements of expanded .* share memory.*clone\(\)"):
        trained(model, Run.create(tmp_path / "run", tiny))


def test_a_resumed_fit_has_the_state(tiny, tmp_path):
    class Counting(Odd):
        def forward(self, x):
            self.extra = {"calls": (self.extra or {"calls": 0})["calls"] + 1}
            return super().forward(x)

    run = Run.create(tmp_path / "run", tiny)
    trained(Counting(), run)
    again = trained(Counting(), Run(run.path))  # nothing is left to do
    assert again.extra == {"calls": 3}
