"""What stops being finite is named with its step and its batch; what was never finite, such as a mask, is no fault."""

from __future__ import annotations

import errno
import json

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import learnsym as ls
from learnsym.data import Batches
from learnsym.training import NonFiniteLoss, OptimiserConfig, Run, checkpoint, fit, non_finite

CROSS_ENTROPY = nn.functional.cross_entropy


class Linear(nn.Linear):
    """Three inputs, two classes."""

    def __init__(self):
        super().__init__(3, 2)


class Spoiler(Linear):
    """An infinite gradient under a finite loss, in one step."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    def forward(self, x):
        self.left -= 1
        if not self.left:
            self.weight.register_hook(lambda g: g * torch.inf)
        return super().forward(x)


def numbered(count=12):
    return [{"x": torch.full((4, 3), float(k)), "y": [torch.tensor([0, 1, 0, 1])]} for k in range(1, count + 1)]


def of_dictionaries(model, batch):
    return ls.objectives.Loss(CROSS_ENTROPY(model(batch["x"]), batch["y"][0]), {})


@pytest.mark.parametrize("clip", [None, 1.0])
def test_the_step_whose_gradient_is_not_finite(tiny, tmp_path, clip):
    run = Run.create(tmp_path / "run", tiny)
    with pytest.raises(NonFiniteLoss, match=r"the weights after step 4 are not finite .*; there is no checkpoint") as e:
        fit(Spoiler(4), of_dictionaries, numbered(), train=tiny.train, optimiser=OptimiserConfig(clip=clip), run=run)
    assert e.value.step == 4
    content = json.loads((run.path / "nan_batch.json").read_text())
    assert content["step"] == 4 and content["indices"] is None
    kept = load_file(run.path / "nan_batch.safetensors")
    assert kept["batch.x"].eq(4).all() and kept["batch.y.0"].tolist() == [0, 1, 0, 1]


def test_inputs_of_a_loss_that_is_not_finite(tiny, toy, tmp_path):
    model, objective, dataset = toy()
    run, batches = Run.create(tmp_path / "run", tiny), Batches(dataset, 16)
    batches.dataset.x[17] = torch.nan
    with pytest.raises(NonFiniteLoss, match="the loss of step") as caught:
        fit(model, objective, batches, train=tiny.train, run=run)
    content = json.loads((run.path / "nan_batch.json").read_text())
    assert 17 in content["indices"] and caught.value.step == content["step"] <= 4
    kept = load_file(run.path / "nan_batch.safetensors")["batch.0"]
    torch.testing.assert_close(kept, batches[caught.value.step - 1][0], equal_nan=True)


def test_a_full_disk_does_not_hide_the_fault(tiny, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    run = Run.create(tmp_path / "run", tiny)
    monkeypatch.setattr(non_finite, "write_atomically", full)
    with pytest.raises(NonFiniteLoss, match="the weights after step 3"):
        fit(Spoiler(3), of_dictionaries, numbered(), train=tiny.train, run=run)


def test_large_weights_are_no_fault():
    model = Linear()
    with torch.no_grad():
        model.weight.fill_(1e30)  # its square overflows
    fit(model, lambda model, batch: ls.objectives.Loss((model(batch) * 1e-30).mean(), {}), [torch.ones(1, 3)], steps=2)


class Masked(Linear):
    """Buffers that are not finite, and are none of the fit's business."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.full((2, 2), -torch.inf).triu(1))
        self.register_buffer("unset", torch.tensor(torch.nan))
        self.register_buffer("least", torch.tensor(torch.inf))
        self.register_buffer("table", torch.zeros(1))
        self.register_buffer("passing", torch.tensor(torch.inf), persistent=False)
        self.frozen = nn.Parameter(torch.tensor([-torch.inf]), requires_grad=False)

    def forward(self, x):
        self.least = torch.minimum(self.least, x.min())
        self.table = torch.full((len(x), 2), -torch.inf)
        self.register_buffer("late", torch.tensor(-torch.inf))
        return super().forward(x)


def test_masks_are_no_fault(tiny, tmp_path):
    run = Run.create(tmp_path / "run", tiny)
    model = nn.Sequential(nn.Sequential(Masked()))
    fit(model, of_dictionaries, numbered(), train=tiny.train, run=run)
    assert run.weights()["0.0.least"] == 1 and run.weights()["0.0.mask"].isinf().sum() == 1


class Broken(Linear):
    """A statistic that overflows though the loss does not depend on it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, x):
        self.mean = self.mean + x.max() * 1e38
        return super().forward(x)


def test_a_buffer_that_overflows_is_never_saved(tiny, tmp_path):
    run = Run.create(tmp_path / "run", tiny)
    with pytest.raises(NonFiniteLoss, match="mean is not finite after step 5; there is no checkpoint yet"):
        fit(Broken(), of_dictionaries, numbered(), train=tiny.train, run=run)
    assert checkpoint.load(run.path) is None and not (run.path / "nan_batch.json").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [({"steps": True}, "steps: got True"), ({"steps": -1}, "steps: got -1"), ({"seed": -1}, "seed: got -1")],
)
def test_bad_numbers(values, message):
    with pytest.raises(ValueError, match=message):
        fit(Linear(), of_dictionaries, numbered(), **{"steps": 1, **values})


def test_unknown_backend(tiny, with_train):
    with pytest.raises(ValueError, match=r"train\.compile_backend: got 'none such', must be one of .*eager"):
        with_train(tiny, compile=True, compile_backend="none such")
