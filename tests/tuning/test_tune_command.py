"""The command `learnsym tune`: one process, several, and torchrun."""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from learnsym.cli import main
from learnsym.training import Run, dump_config


@pytest.fixture
def files(small, tmp_path, monkeypatch):
    """A configuration with its search space; returns the arguments of the command."""
    monkeypatch.delenv("LEARNSYM_STORAGE", raising=False)
    (tmp_path / "a.yaml").write_text(dump_config(small))
    (tmp_path / "a.space.yaml").write_text("optimiser.lr: {low: 1e-3, high: 1e-1, log: true}")
    return ["tune", str(tmp_path / "a.yaml"), "--study", "digits", "--out", str(tmp_path / "out")]


def rows_of(tmp_path):
    with open(tmp_path / "out" / "trials.csv", encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def learnsym(arguments, launcher=(), **environment):
    command = [sys.executable, "-m", *launcher, *(["-m"] if launcher else []), "learnsym", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_process(files, tmp_path, capsys):
    assert main([*files, "--trials", "2", "--train.steps", "2"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["trial", "loss", "time", "optimiser.lr"]
    assert "2 trials complete, 0 pruned, 0 failed" in said and f"best: {tmp_path / 'out' / 'best'}" in said
    assert said.splitlines()[-1] == f"page: {tmp_path / 'out' / 'tune.html'}"
    assert "2 trials" in (tmp_path / "out" / "tune.html").read_text(encoding="utf8")
    assert Run(tmp_path / "out" / "best").config.train.steps == 2
    assert main([*files, "--trials", "2", "--train.steps", "3"]) == 2
    assert "train.steps: got 3, but study digits was made with 2" in capsys.readouterr().err


def test_no_trial_ends_well(files, tmp_path, capsys):
    (tmp_path / "a.space.yaml").write_text("optimiser.lr: [1e+30, 1e+31]")
    assert main([*files, "--trials", "2"]) == 1
    said = capsys.readouterr().out
    assert "0 trials complete, 0 pruned, 2 failed" in said and "failed: trial 1: the loss of step" in said
    assert "all failed" in (tmp_path / "out" / "tune.html").read_text(encoding="utf8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--trials", "0"], "trials: got 0"),
        (["--trials", "1", "--workers", "0"], "workers: got 0"),
        (["--trials", "1", "--storage", "sqlite:///a.db"], "sqlite is not safe"),
        (["--trials", "1", "--storage", "postgresql://u:secret@127.0.0.1:1/x"], "cannot be reached"),
        (["--trials", "1", "--space", "missing.yaml"], "missing.yaml does not exist"),
        (["--trials", "1", "--net.widht", "3"], "net.widht"),
        (["--trials", "1", "--jobs", "-1", "--cluster", "local"], "jobs: got -1"),
    ],
)
def test_bad_input(files, tmp_path, capsys, arguments, words):
    assert main([*files, *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and "secret" not in said and len(said.strip().splitlines()) == 1
    assert not (tmp_path / "out" / "trials").exists()


@pytest.mark.slow
def test_two_workers(files, tmp_path, postgres_database):
    said = learnsym([*files, "--trials", "4", "--workers", "2"], LEARNSYM_STORAGE=postgres_database)
    assert said.count("trial  loss") == 1 and "4 trials complete" in said
    assert [row["state"] for row in rows_of(tmp_path)] == ["complete"] * 4


@pytest.mark.slow
def test_jobs_join_the_study(files, tmp_path):
    pytest.importorskip("submitit")
    said = learnsym([*files, "--trials", "4", "--jobs", "2", "--cluster", "local"])
    assert "4 trials complete" in said
    assert len(rows_of(tmp_path)) == 4


@pytest.mark.slow
def test_workers_stop_on_a_signal(files, small, tmp_path):
    (tmp_path / "a.yaml").write_text(dump_config(replace(small, train=replace(small.train, steps=3000))))
    command = [sys.executable, "-m", "learnsym", *files, "--trials", "2", "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if len(list((tmp_path / "out").glob("trials/*/0/metrics.jsonl"))) == 2:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 143, said
    learnsym([*files, "--trials", "2", "--workers", "2"])
    assert [(row["state"], row["deaths"]) for row in rows_of(tmp_path)] == [("complete", "0")] * 2


@pytest.mark.slow
def test_torchrun_trains_each_trial_together(files, small, tmp_path):
    """The first process asks and prunes for both: the study is that of one process."""
    (tmp_path / "a.space.yaml").write_text(
        "{optimiser.lr: {low: 1e-3, high: 1e-1, log: true}, seeds: [0, 1, 2, 3], prune: 0.13}"
    )
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    launcher = ["torch.distributed.run", "--nproc-per-node", "2", "--master-port", port]
    learnsym([*files, "--trials", "6"], launcher)
    two = rows_of(tmp_path)
    (tmp_path / "out").rename(tmp_path / "two")
    assert main([*files, "--trials", "6"]) == 0
    one = rows_of(tmp_path)
    assert [row["state"] for row in one] == [row["state"] for row in two]
    assert "pruned" in {row["state"] for row in two}
    assert [float(row["optimiser.lr"]) for row in one[:5]] == [float(row["optimiser.lr"]) for row in two[:5]]
    for a, b in zip(one, two, strict=True):
        assert a["state"] == "pruned" or float(a["loss"]) == pytest.approx(float(b["loss"]), rel=1e-4)
