"""Run folders: what is in them, and what refuses to go in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

import learnsym as ls
from learnsym.training import NonFiniteLoss, Run, find_runs, fit, read_config, train
from learnsym.training.checkpoint import load


def test_content(tiny, tmp_path):
    (run,) = train(tiny, tmp_path / "run")
    assert {p.name for p in run.path.iterdir()} == {
        "config.yaml",
        "data.json",
        "env.json",
        "metrics.jsonl",
        "weights.safetensors",
        "state.pt",
        "predictions.safetensors",
    }
    assert run.is_finished and run.twin == "learned" and run.seed == 0
    assert read_config(run.path / "config.yaml") == replace(tiny, twins=["learned"])
    assert json.loads((run.path / "env.json").read_text())["device"] == "cpu"
    metrics = run.metrics()
    assert [r["step"] for r in metrics if r["split"] == "train"] == list(range(1, 13))
    assert [r["step"] for r in metrics if r["split"] == "val"] == [4, 8, 12]
    (test,) = (r for r in metrics if r["split"] == "test")
    assert test == metrics[-1] and 0 <= test["accuracy"] <= 1 and test["task"] > 0
    assert {"loss", "task", "regulariser", "half_width/rotation"} <= set(metrics[0])


def test_weights_agree(tiny, tmp_path):
    (run,) = train(tiny, tmp_path / "run")
    stored = load_file(run.path / "weights.safetensors")
    assert stored.keys() == run.weights().keys()
    assert all(torch.equal(stored[name], value) for name, value in run.weights().items())
    _, _, splits = ls.training.build(run.config)
    outputs = ls.training.predict(run.model(), splits.test.inputs)
    torch.testing.assert_close(outputs, run.predictions()["outputs"])
    (run.path / "state.pt").unlink()
    assert run.model() is not None


def test_finished_run_is_left_alone(tiny, tmp_path):
    (run,) = train(tiny, tmp_path / "run")
    before = {p.name: p.read_bytes() for p in run.path.iterdir()}
    train(tiny, tmp_path / "run")
    assert before == {p.name: p.read_bytes() for p in run.path.iterdir()}


def test_other_config(tiny, with_train, tmp_path):
    train(tiny, tmp_path / "run")
    with pytest.raises(ValueError, match=r"train\.steps: got 13, .* 12; use that value to resume it, or another --out"):
        train(with_train(tiny, steps=13), tmp_path / "run")
    with pytest.raises(ValueError, match="is the run of a single member"):
        train(replace(tiny, seeds=[0, 1]), tmp_path / "run")


def test_folder_of_something_else(tiny, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"is not a run folder, but holds notes\.txt"):
        train(tiny, tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        train(tiny, tmp_path / "notes.txt")


def test_not_a_run(tmp_path):
    with pytest.raises(ValueError, match="is not a run folder"):
        Run(tmp_path)
    with pytest.raises(ValueError, match="holds no run"):
        find_runs(tmp_path)


def test_one_process_at_a_time(tiny, tmp_path):
    run = Run.create(tmp_path / "run", replace(tiny, twins=["learned"]))
    with run.writing(), pytest.raises(ValueError, match="another process"):
        train(tiny, tmp_path / "run")


@pytest.mark.parametrize("name", ["state.pt", "config.yaml", "metrics.jsonl"])
def test_unreadable(tiny, tmp_path, name):
    (run,) = train(tiny, tmp_path / "run")
    (run.path / name).write_bytes(b"\x00torn\n")
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        again = Run(run.path)
        again.metrics()
        train(again.config, run.path)


def test_short_metrics(tiny, tmp_path):
    (run,) = train(tiny, tmp_path / "run")
    (run.path / "metrics.jsonl").write_bytes(b"")
    with pytest.raises(ValueError, match="shorter than its checkpoint"), run.writing():
        pass


def test_nan_keeps_the_last_checkpoint(tiny, toy, tmp_path):
    model, _, dataset = toy()
    calls = iter([1.0] * 7 + [float("nan")])
    objective = ls.objectives.Supervised(lambda outputs, y: outputs.mean() * next(calls))
    run = Run.create(tmp_path / "run", tiny)
    batches = ls.data.Batches(dataset, 16)
    with pytest.raises(NonFiniteLoss, match=r"step 8 .*nan_batch\.json.*checkpoint of step 5 is kept"):
        fit(model, objective, batches, train=tiny.train, run=run)
    content = json.loads((run.path / "nan_batch.json").read_text())
    assert content["step"] == 8 and content["indices"] == batches.indices(7).tolist()
    assert load(run.path)["step"] == 5


def test_nan_weights_are_never_saved(tiny, toy, tmp_path):
    _, objective, dataset = toy()
    run = Run.create(tmp_path / "run", tiny)

    class Spoiler(torch.nn.Linear):
        steps = 0

        def forward(self, x):
            Spoiler.steps += 1
            if Spoiler.steps == 10:  # an infinite gradient under a finite loss
                self.weight.register_hook(lambda g: g * torch.inf)
            return super().forward(x)

    with pytest.raises(NonFiniteLoss, match=r"step 10 .*checkpoint of step 5 is kept"):
        fit(Spoiler(3, 2), objective, ls.data.Batches(dataset, 16), train=tiny.train, run=run)
    assert load(run.path)["step"] == 5


def test_tensorboard(tiny, with_train, tmp_path):
    pytest.importorskip("tensorboard")
    (run,) = train(with_train(tiny, tensorboard=True), tmp_path / "run")
    assert list((run.path / "tensorboard").glob("events*"))
