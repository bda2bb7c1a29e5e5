"""No training step of a method waits for its device: on a GPU the host would stand still at each of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from learnsym._read_once import ReadOnce
from learnsym.data import Batches
from learnsym.methods import registry
from learnsym.objectives import Supervised
from learnsym.training import build
from learnsym.training.config import OptimiserConfig, TrainConfig
from learnsym.training.loop import _Loop
from tests.methods.conftest import WORKING, tiny
from tests.unread_device import move_to_meta, unread

LOOKS = {
    "selection": "three to five times in a training hypotheses are compared on held-out examples, and some dropped",
    "marginal_likelihood": "every tenth step eigenvalues of curvatures are found, whose routine looks for errors",
}
"""Choosers with steps that wait, few by design, and why."""
BETWEEN = {"selection": (1000, 2), "marginal_likelihood": (30, 5)}
"""Steps of the training, and steps before those that are watched, so that no look is among these."""
AT = {"selection": (30, 4), "marginal_likelihood": (30, 12)}
"""The same, so that the last of the watched ones looks."""
TWINS = [(method, twin) for method in registry for twin in registry[method].twins if twin != "learned"]


def waits(config, before):
    """What the second step waits for after `before` steps on the host; the first may bring data to the device."""
    model, objective, splits = build(config)
    loop = _Loop(model, objective, config.optimiser, config.train, config.train.steps, 0, None, None)
    coming = loop._batches(Batches(splits.train, 8))
    for _ in range(before):
        loop._update(coming)
    loop.optimiser.zero_grad()
    move_to_meta(loop)
    with unread() as found:
        loop._update(coming)
        found.found.clear()
        loop._update(coming)
    return found.found


def of_steps(method, chooser, steps, **more):
    return tiny(method, chooser, train={"steps": steps, "batch_size": 8, "threads": 1, "device": "cpu"}, **more)


@pytest.mark.parametrize(
    ("method", "chooser"),
    [p if p[1] == registry[p[0]].choosers[0] else pytest.param(*p, marks=pytest.mark.slow) for p in WORKING],
)
def test_no_step_waits_for_the_device(method, chooser):
    steps, before = BETWEEN.get(chooser, (4, 1))
    assert waits(of_steps(method, chooser, steps), before) == set()


@pytest.mark.parametrize("before", [12, 50])
def test_no_step_of_a_network_before_a_look_or_after_the_choice_waits_for_the_device(before):
    config = tiny("augerino", "selection", train={"steps": 100, "batch_size": 8, "device": "cpu"})
    assert waits(config, before) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("method", "twin"), TWINS)
def test_no_step_of_a_twin_waits_for_the_device(method, twin):
    assert waits(of_steps(method, "training", 4, twin=twin, twins=[twin]), 1) == set()


@pytest.mark.parametrize("method", ["augerino"])
@pytest.mark.parametrize("chooser", sorted(LOOKS))
def test_the_list_of_choosers_that_look_is_current(method, chooser):
    steps, before = AT[chooser]
    try:
        found = waits(of_steps(method, chooser, steps), before)
    except (RuntimeError, NotImplementedError) as error:
        found = {str(error)}
    assert found, f"{chooser} no longer waits; strike it from LOOKS"


class _Reading(nn.Module):
    """A network that does one thing that waits."""

    def __init__(self, what):
        super().__init__()
        self.linear, self.what = nn.Linear(3, 2), what

    def forward(self, x: Tensor) -> Tensor:
        return self.what(self.linear(x))


def branch(y: Tensor) -> Tensor:
    return y if y.sum() > 0 else -y


FAULTS = {
    "item": lambda y: y * y.sum().item(),
    "tolist": lambda y: y * y.flatten().tolist()[0],
    "float": lambda y: y * float(y.sum()),
    "bool": branch,
    "cpu": lambda y: y * y.cpu().sum(),
    "numpy": lambda y: y * y.detach().numpy().sum(),
    "nonzero": lambda y: y * len(y.nonzero()),
    "mask": lambda y: y + y[y > 0].sum(),
    "equal": lambda y: y if torch.equal(y, y) else -y,
    "constant": lambda y: y * torch.tensor([1.0, 2.0], device=y.device),
    "new_tensor": lambda y: y * y.new_tensor([1.0, 2.0]),
    "to": lambda y: y * torch.ones(2).to(y),
    "solve": lambda y: y + torch.linalg.solve(torch.eye(2, device=y.device), y[:2]).sum(),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_step_that_waits_is_found(name):
    model = _Reading(FAULTS[name])
    loop = _Loop(model, Supervised(nn.functional.mse_loss), OptimiserConfig(), TrainConfig(), 4, 0, None, None)
    coming = iter([(torch.ones(4, 3), torch.ones(4, 2))] * 3)
    loop._update(coming)
    move_to_meta(loop)
    try:
        with unread() as found:
            loop._update(coming)
        faults = found.found
    except (RuntimeError, NotImplementedError, TypeError) as error:
        faults = {str(error)}
    assert faults


def test_what_was_read_once_is_read_again_after_it_was_written():
    read, tensor = ReadOnce(), torch.zeros(2)
    assert read(tensor) == [0.0, 0.0]
    tensor[1] = 2.0
    assert read(tensor) == [0.0, 2.0]
    assert read(torch.ones(())) == 1.0
    loaded = nn.BatchNorm1d(2)
    assert read(loaded.running_var) == [1.0, 1.0]
    loaded.load_state_dict({**loaded.state_dict(), "running_var": torch.full((2,), 3.0)})
    assert read(loaded.running_var) == [3.0, 3.0]
