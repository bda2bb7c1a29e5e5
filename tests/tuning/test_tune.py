"""Laws of tuning: what a study leaves in its folder, whatever happens on the way."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import shutil
import signal
from dataclasses import replace

import pytest
from noop_worker import ended_well, forked

from learnsym.training import Interrupted, Run
from learnsym.tuning import Choices, trial, tune
from learnsym.tuning.results import _copy, best_of, table, write_results, write_table
from learnsym.tuning.trial import _with_checkpoints


def rows_of(folder, name="trials.csv"):
    with open(folder / name, encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def validation_loss(path):
    return next(record["task"] for record in reversed(Run(path).metrics()) if record["split"] == "val")


def test_a_study(begin, tmp_path):
    study, out, counts = begin(seeds=(3, 5)), tmp_path / "out", []
    tune(study, 3, out, ended=counts.append)
    assert counts[-1] == 3
    rows = rows_of(out)
    assert [(row["trial"], row["state"], row["seeds"]) for row in rows] == [(str(k), "complete", "2") for k in range(3)]
    for row in rows:
        runs = [Run(out / "trials" / row["trial"] / seed) for seed in ("3", "5")]
        assert all(run.is_finished and run.config.optimiser.lr == float(row["optimiser.lr"]) for run in runs)
        losses = [validation_loss(run.path) for run in runs]
        assert math.isclose(float(row["loss"]), sum(losses) / 2, rel_tol=1e-12)
    best = min(rows, key=lambda row: float(row["loss"]))
    assert json.loads((out / "best.json").read_text())["trial"] == int(best["trial"])
    assert Run(out / "best" / "3").weights().keys() and validation_loss(out / "best" / "5")
    header, shown = table(study)
    assert header == ["trial", "loss", "time", "optimiser.lr"] and shown[0][0] == best["trial"] and len(shown) == 3


def test_the_best_of_one_seed_is_a_run(begin, tmp_path):
    study, out = begin(), tmp_path / "out"
    tune(study, 1, out)
    assert Run(out / "best").is_finished
    tune(study, 4, out)
    best = json.loads((out / "best.json").read_text())
    assert best["trial"] == best_of(study).number
    assert math.isclose(validation_loss(out / "best"), min(float(row["loss"]) for row in rows_of(out)))


def test_two_workers_write_the_table_at_once(begin, tmp_path):
    study, out = begin(), tmp_path / "out"
    tune(study, 2, out)

    def write():
        for _ in range(50):
            write_table(study, out)
            write_results(study, out)

    assert ended_well([forked(write) for _ in range(3)])
    assert len(rows_of(out)) == 2 and Run(out / "best").is_finished


def test_the_best_is_analyzed(begin, tmp_path):
    from learnsym.report import analyze

    out = tmp_path / "out"
    tune(begin(), 1, out)
    overrides = ["--analysis.angle_step", "180", "--analysis.task_extent.widths", "[]", "--analysis.pose.generators=[]"]
    overrides += ["--analysis.workers", "1", "--analysis.bootstrap", "20"]
    assert analyze(out / "best", overrides=overrides).report.is_file()


def test_several_objectives(begin, tmp_path):
    names = ("loss", "accuracy", "equivariance_error", "cost")
    study, out = begin(objectives=names, parameters={"net.width": Choices(values=(4, 8, 16))}), tmp_path / "out"
    tune(study, 4, out)
    rows, front = rows_of(out), rows_of(out, "front.csv")
    scores = [[float(row[name]) * (-1 if name == "accuracy" else 1) for name in names] for row in rows]
    beaten = [any(_beats(b, a) for b in scores) for a in scores]
    assert [row["trial"] for row in front] == [
        row["trial"] for row, out_of in zip(rows, beaten, strict=True) if not out_of
    ]
    assert [row["trial"] for row in json.loads((out / "front.json").read_text())] == [
        int(row["trial"]) for row in front
    ]
    best = json.loads((out / "best.json").read_text())
    assert best["loss"] == min(float(row["loss"]) for row in front)
    cost = {row["net.width"]: float(row["cost"]) for row in rows}
    assert sorted(cost, key=int) == sorted(cost, key=lambda width: cost[width])
    assert Run(out / "best").config.net.width == best["net.width"]


def _beats(a, b):
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


def test_bad_trials_end_early(begin, tmp_path, monkeypatch):
    """Each seed of a trial is worse than that of the best: three of them are enough for p = 1/8."""
    monkeypatch.setattr(trial, "scores", lambda run, names: {"loss": run.config.optimiser.lr * (1 + 0.01 * run.seed)})
    study, out = begin(seeds=(0, 1, 2, 3), prune=0.13), tmp_path / "out"
    tune(study, 5, out)
    best = math.inf
    for row in rows_of(out):
        bad, best = float(row["optimiser.lr"]) > best, min(best, float(row["optimiser.lr"]))
        assert (row["state"], row["seeds"]) == (("pruned", "3") if bad else ("complete", "4"))
    assert {row["state"] for row in rows_of(out)} == {"pruned", "complete"}


def test_trials_may_fail(begin, tmp_path):
    study, out = begin(parameters={"optimiser.lr": Choices(values=(1e-2, 1e30))}), tmp_path / "out"
    tune(study, 6, out)
    rows = rows_of(out)
    assert {(row["state"], float(row["optimiser.lr"])) for row in rows} == {("complete", 1e-2), ("fail", 1e30)}
    assert all("not finite" in row["failure"] for row in rows if row["state"] == "fail")
    assert Run(out / "best").config.optimiser.lr == 1e-2


def fail_once(monkeypatch, error):
    original, calls = trial.train_member, []

    def train_member(config, path):
        calls.append(path)
        if len(calls) == 2:
            raise error
        return original(config, path)

    monkeypatch.setattr(trial, "train_member", train_member)


def test_a_full_disk_loses_nothing(begin, tmp_path, monkeypatch):
    fail_once(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "state.pt"))
    study, out = begin(), tmp_path / "out"
    with pytest.raises(OSError, match=r"the disk is full \(state.pt\); nothing is lost") as caught:
        tune(study, 3, out)
    assert caught.value.errno == errno.ENOSPC
    tune(begin(), 3, out)
    assert [(row["state"], row["deaths"]) for row in rows_of(out)] == [("complete", "0")] * 3


def test_a_signal_stops_and_the_same_call_continues(begin, tmp_path, monkeypatch):
    original, calls = trial.train_member, []

    def train_member(config, path):
        calls.append(path)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(config, path)

    monkeypatch.setattr(trial, "train_member", train_member)
    with pytest.raises(Interrupted) as caught:
        tune(begin(seeds=(0, 1)), 2, tmp_path / "out")
    assert caught.value.exit_code == 143
    tune(begin(seeds=(0, 1)), 2, tmp_path / "out")
    assert [(row["state"], row["deaths"]) for row in rows_of(tmp_path / "out")] == [("complete", "0")] * 2


def test_bad_input_is_refused_before_any_work(begin, small, tmp_path):
    tune(begin(), 1, tmp_path / "out")
    with pytest.raises(ValueError, match=r"out: .* belongs to another study, study"):
        tune(begin("other"), 1, tmp_path / "out")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").touch()
    with pytest.raises(ValueError, match=r"out: .* holds something else"):
        tune(begin(), 1, tmp_path / "run")
    with pytest.raises(ValueError, match=r"out: .* is a file"):
        tune(begin(), 1, tmp_path / "run" / "config.yaml")
    with pytest.raises(ValueError, match="trials: got 0"):
        tune(begin(), 0, tmp_path / "new")
    with pytest.raises(ValueError, match=r"train\.steps: got 0"):
        tune(begin("steps", config=replace(small, train=replace(small.train, steps=0))), 1, tmp_path / "new")
    with pytest.raises(ValueError, match="data"):
        tune(begin("data", config=replace(small, data=replace(small.data, train=10**9))), 1, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("steps", "every", "expected"), [(3, 500, 1), (100, 500, 10), (9000, 500, 500), (100, 5, 5)])
def test_short_trials_have_checkpoints_early(small, steps, every, expected):
    config = replace(small, train=replace(small.train, steps=steps, checkpoint_every=every))
    assert _with_checkpoints(config).train.checkpoint_every == expected


def test_a_run_goes_on_with_other_checkpoints(small, tmp_path):
    Run.create(tmp_path / "run", small)
    Run.create(tmp_path / "run", _with_checkpoints(small))


def test_a_best_trial_that_cannot_be_copied_leaves_nothing_half(tmp_path, monkeypatch):
    (tmp_path / "source" / "0").mkdir(parents=True)
    (tmp_path / "source" / "0" / "a").write_text("a")

    def full(*paths):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(OSError, match=r"could not be written \(No space .*best"):
        patch.setattr(shutil, "copy2", full)
        _copy(tmp_path / "source", tmp_path / "best.tmp", tmp_path / "best")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    _copy(tmp_path / "source", tmp_path / "best.tmp", tmp_path / "best")
    assert (tmp_path / "best.tmp" / "0" / "a").read_text() == "a"
