"""Runs in Python, of modules that no configuration describes: what is kept, how they are resumed, what they refuse."""

import importlib.util
import logging
import sys
import textwrap

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

import learnsym as ls
from learnsym.training import OwnRun, Run, find_own_runs, fit

CODE = """
from torch import nn


class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.flat = nn.Flatten()
        self.last = nn.Linear(36, 3)

    def forward(self, x):
        return self.last(self.flat(x))
"""


@pytest.fixture
def mine(tmp_path):
    """The class of a file of somebody else."""
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(CODE))
    spec = importlib.util.spec_from_file_location("mine", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["mine"] = module
    yield module.Mine
    del sys.modules["mine"]


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(24, 1, 6, 6, generator=generator)
    return ls.data.Dataset(x, torch.arange(24) % 3, "noise", classes=3)


def learned(make):
    torch.manual_seed(0)
    return ls.augment.Augmented(make(), ls.symmetry_by_name("rotation2d"))


def train(model, data, run, steps=6, objective=None, seed=0):
    objective = objective or ls.objectives.Augerino(F.cross_entropy)
    config = ls.training.TrainConfig(checkpoint_every=3)
    return fit(model, objective, ls.data.Batches(data, 8), steps=steps, run=run, train=config, seed=seed)


def test_what_a_run_keeps(mine, data, tmp_path):
    run = Run.new(tmp_path / "run", data="noise")
    model = learned(mine)
    train(model, data, run)
    assert {path.name for path in run.path.iterdir()} == {
        "code", "degrees.json", "env.json", "metrics.jsonl", "net.safetensors", "own.json", "state.pt",
        "weights.safetensors",
    }  # fmt: skip
    assert run.is_finished and (run.twin, run.seed, run.data) == ("learned", 0, "noise")
    record = OwnRun(run.path).record
    assert record["network"] == "Mine" and record["symmetry"] == ["SO(2)"] and record["steps"] == 6
    assert record["objective"].startswith("Augerino(") and "weight=0.03" in record["objective"]
    assert (run.path / "code" / "mine.py").read_text() == CODE
    assert len(record["code"]["mine.Mine"]["sha256"]) == 64
    (degree,) = run.degrees()
    assert degree.estimate == pytest.approx(ls.degrees(model)[0].estimate) and degree.data == "noise"


def test_the_weights_come_back(mine, data, tmp_path):
    run, model = Run.new(tmp_path / "run"), learned(mine)
    train(model, data, run)
    again = run.load_into(learned(mine))
    torch.testing.assert_close(again(data.x), model.eval()(data.x))
    alone = mine()
    alone.load_state_dict(load_file(run.path / "net.safetensors"))
    torch.testing.assert_close(alone(data.x), model.net(data.x))
    with pytest.raises(ValueError, match=r"^run: the weights of .* are of another module"):
        run.load_into(nn.Linear(2, 2))


def test_a_run_is_continued_to_the_same_weights(mine, data, tmp_path, monkeypatch):
    whole = learned(mine)
    train(whole, data, Run.new(tmp_path / "whole"))
    run = Run.new(tmp_path / "parts")
    log = type(run).log

    def killed(self, record):
        if record["step"] == 5:
            raise KeyboardInterrupt
        log(self, record)

    with monkeypatch.context() as patch:
        patch.setattr(type(run), "log", killed)
        with pytest.raises(KeyboardInterrupt):
            train(learned(mine), data, run)
    assert run.state()["step"] == 3 and not run.is_finished
    with pytest.raises(ValueError, match="not trained to its end; continue it with fit"):
        run.degrees()
    resumed = learned(mine)
    train(resumed, data, Run.new(run.path))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert len(run.metrics()) == 6
    assert len(train(learned(mine), data, Run.new(run.path))) == 0  # nothing is left to do


def test_a_run_is_not_continued_as_another(mine, data, tmp_path):
    run = Run.new(tmp_path / "run")
    train(learned(mine), data, run)
    for key, options in {"steps": {"steps": 7}, "seed": {"seed": 1}}.items():
        with pytest.raises(ValueError, match=rf"^{key}: got ., but the run in .* was made with .; use that"):
            train(learned(mine), data, Run.new(run.path), **options)
    with pytest.raises(ValueError, match=r"^objective: got "):
        train(learned(mine), data, Run.new(run.path), objective=ls.objectives.Augerino(F.cross_entropy, weight=0.5))


def test_code_that_has_changed_is_said(mine, data, tmp_path, caplog):
    run = Run.new(tmp_path / "run")
    train(learned(mine), data, run)
    (tmp_path / "mine.py").write_text(CODE + "\n# another\n")
    with caplog.at_level(logging.WARNING):
        train(learned(mine), data, Run.new(run.path))
    assert "the code of mine.Mine is not what it was" in caplog.text


def test_the_code_of_a_factory_is_kept(data, tmp_path):
    def factory():
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 3))

    run = Run.new(tmp_path / "run", factory=factory)
    train(factory(), data, run, objective=ls.objectives.Supervised(F.cross_entropy))
    assert run.twin == "plain" and run.degrees() == []
    assert (run.path / "code" / "test_new_run.py").is_file()


def test_what_is_no_such_run(mine, data, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"^out: .* is not a run folder, but holds"):
        Run.new(tmp_path)
    with pytest.raises(ValueError, match=r"^run: .* is no run made in Python"):
        OwnRun(tmp_path)
    run = Run.new(tmp_path / "run")
    assert [each.path for each in find_own_runs(tmp_path)] == [run.path]
    with pytest.raises(ValueError, match=r"^run: .* was trained in Python, .* give FILE\.py:factory with the weights"):
        Run(run.path)
    (run.path / "own.json").write_text('{"version": 9, "data": "x"}')
    with pytest.raises(ValueError, match=r"has version 9, learnsym reads 1"):
        OwnRun(run.path)
