"""Laws of resuming: however training is stopped, the same command ends with the same weights and the same metrics."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from learnsym.objectives import choosers
from learnsym.training import Interrupted, MembersFailed, Run, checkpoint, dump_config, train
from learnsym.training import loop as loop_module

KILLER = Path(__file__).with_name("killer.py")


class Death(BaseException):
    """Stands for a kill: nothing catches it."""


def same(a, b):
    assert a.metrics() == b.metrics()
    assert a.weights().keys() == b.weights().keys()
    assert all(torch.equal(value, b.weights()[name]) for name, value in a.weights().items())


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """The run that nothing disturbed."""
    return train(tiny, tmp_path_factory.mktemp("whole") / "run")[0]


def die_on_call(monkeypatch, owner, name, number, error=Death):
    """Make the `number`-th call of a function fail."""
    calls, original = [0], getattr(owner, name)

    def failing(*arguments, **options):
        calls[0] += 1
        if calls[0] == number:
            raise error
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, failing)


@pytest.mark.parametrize("number", range(1, 12))
def test_death_at_each_replacement(tiny, whole, tmp_path, monkeypatch, number):
    """Between any two files that a run replaces, also between the two of one checkpoint."""
    with monkeypatch.context() as patch, pytest.raises(Death):
        die_on_call(patch, os, "replace", number)
        train(tiny, tmp_path / "run")
        raise Death  # fewer replacements than `number`
    same(train(tiny, tmp_path / "run")[0], whole)


@pytest.mark.parametrize("number", [1, 3, 5, 6, 12])
def test_death_in_a_step(tiny, whole, tmp_path, monkeypatch, number):
    with monkeypatch.context() as patch, pytest.raises(Death):
        die_on_call(patch, loop_module, "seed_step", number)
        train(tiny, tmp_path / "run")
    with open(tmp_path / "run" / "metrics.jsonl", "ab") as file:
        file.write(b'{"step": 4, "lo')  # a torn line
    same(train(tiny, tmp_path / "run")[0], whole)


def test_death_while_validation_chooses(tiny, tmp_path, monkeypatch):
    chosen = replace(tiny, chooser=choosers.registry["validation"]())
    (undisturbed,) = train(chosen, tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(Death):
        die_on_call(patch, loop_module, "seed_step", 8)
        train(chosen, tmp_path / "run")
    same(train(chosen, tmp_path / "run")[0], undisturbed)


def test_weights_and_state_agree_after_death_between_them(tiny, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Death):
        die_on_call(patch, checkpoint, "save_weights", 2)
        train(tiny, tmp_path / "run")
    assert checkpoint.load(tmp_path / "run")["step"] == 10
    assert checkpoint.weights_step(tmp_path / "run") == 5
    (run,) = train(tiny, tmp_path / "run")
    assert checkpoint.weights_step(run.path) == checkpoint.load(run.path)["step"] == 12


def test_full_disk(tiny, whole, tmp_path, monkeypatch):
    with (
        monkeypatch.context() as patch,
        pytest.raises(OSError, match="checkpoint of step 10 could not be written") as caught,
    ):
        # two each for env.json, config.yaml and data.json; metrics, state and weights of step 5; metrics of step 10
        die_on_call(patch, os, "fsync", 13, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        train(tiny, tmp_path / "run")
    assert caught.value.errno == errno.ENOSPC and "free space" in str(caught.value)
    assert checkpoint.load(tmp_path / "run")["step"] == 5
    assert not list((tmp_path / "run").glob("*.tmp"))
    same(train(tiny, tmp_path / "run")[0], whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal(tiny, whole, tmp_path, monkeypatch, number):
    handler = signal.getsignal(number)
    original = loop_module.seed_step

    def seed_step(seed, step, device):
        if step == 6:
            os.kill(os.getpid(), number)
        original(seed, step, device)

    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="after step 7 of 12") as caught:
        patch.setattr(loop_module, "seed_step", seed_step)
        train(tiny, tmp_path / "run")
    assert caught.value.exit_code == 128 + number
    assert checkpoint.load(tmp_path / "run")["step"] == 7
    assert signal.getsignal(number) == handler
    same(train(tiny, tmp_path / "run")[0], whole)


def killed(tiny, with_train, tmp_path, kills):
    """Train in processes that are killed at random moments, then to the end; compare with an undisturbed run."""
    steps = 50 * kills  # more than the 40 at most that a process has before its kill, however fast
    config = with_train(tiny, steps=steps, checkpoint_every=20, eval_every=30)
    (tmp_path / "config.yaml").write_text(dump_config(config))
    command = [sys.executable, str(KILLER), str(tmp_path / "config.yaml"), str(tmp_path / "run"), str(kills), "40"]
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    run = Run(tmp_path / "run")
    assert [r["step"] for r in run.metrics() if r["split"] == "train"] == list(range(1, steps + 1))
    same(run, Run(tmp_path / "run-whole"))


def test_kill(tiny, with_train, tmp_path):
    killed(tiny, with_train, tmp_path, 5)


@pytest.mark.slow
def test_kill_often(tiny, with_train, tmp_path):
    killed(tiny, with_train, tmp_path, 20)


def test_members_are_skipped_and_resumed(tiny, tmp_path, monkeypatch):
    config = replace(tiny, twins=["learned", "plain"], seeds=[0, 1])
    with monkeypatch.context() as patch, pytest.raises(Death):
        die_on_call(patch, loop_module, "seed_step", 30)
        train(config, tmp_path / "run")
    first = (tmp_path / "run" / "learned-0" / "state.pt").stat().st_mtime_ns
    runs = train(config, tmp_path / "run")
    assert [run.path.name for run in runs] == ["learned-0", "learned-1", "plain-0", "plain-1"]
    assert all(run.is_finished for run in runs)
    assert (tmp_path / "run" / "learned-0" / "state.pt").stat().st_mtime_ns == first


def test_failed_member_is_reported_and_others_trained(tiny, tmp_path, monkeypatch):
    config = replace(tiny, seeds=[0, 1])
    with monkeypatch.context() as patch, pytest.raises(MembersFailed, match="learned-0: the loss of step"):
        original = loop_module._Loop._check_finite
        patch.setattr(
            loop_module._Loop,
            "_check_finite",
            lambda self, entry, values, weights: original(
                self, entry, {"loss": float("nan")} if self.seed == 0 else values, weights
            ),
        )
        train(config, tmp_path / "run")
    assert train(config, tmp_path / "run")[1].is_finished


@pytest.mark.slow
def test_workers_give_the_same_runs(tiny, with_train, tmp_path):
    config = replace(with_train(tiny, threads=1), seeds=[0, 1])
    alone = train(config, tmp_path / "alone")
    together = train(with_train(config, workers=2), tmp_path / "together")
    for a, b in zip(alone, together, strict=True):
        same(a, b)


@pytest.mark.slow
def test_signal_stops_all_workers(tiny, with_train, tmp_path):
    config = replace(with_train(tiny, steps=3000, workers=2), twins=["learned", "plain"], seeds=[0, 1])
    (tmp_path / "config.yaml").write_text(dump_config(config))
    command = [sys.executable, "-m", "learnsym", "train", str(tmp_path / "config.yaml"), "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    begun = [tmp_path / "run" / f"learned-{seed}" / "state.pt" for seed in (0, 1)]
    deadline = time.monotonic() + 120
    while not all(path.exists() for path in begun):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    steps = [checkpoint.load(path.parent)["step"] for path in begun]
    assert all(0 < step < 3000 for step in steps)
    assert {path.name for path in (tmp_path / "run").iterdir()} <= {"learned-0", "learned-1"}
