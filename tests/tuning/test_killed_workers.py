"""Law of killed workers: every trial ends exactly once, none is lost or doubled, and each has the value of its runs."""

from __future__ import annotations

import csv
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from learnsym.training import Run, dump_config, read_config
from learnsym.tuning import open_study, read_space
from learnsym.workers import locks_for

KILLER = Path(__file__).with_name("killer_of_workers.py")
SPACE = "{optimiser.lr: {low: 1e-4, high: 1e-1, log: true}, seeds: [0, 1]}"


def killed(small, tmp_path, storage, trials, workers, kills, steps=30):
    """A study whose workers were killed."""
    config = replace(small, train=replace(small.train, steps=steps, checkpoint_every=5))
    (tmp_path / "config.yaml").write_text(dump_config(config))
    (tmp_path / "space.yaml").write_text(SPACE)
    numbers = [str(number) for number in (trials, workers, kills)]
    arguments = [str(tmp_path / "config.yaml"), str(tmp_path / "space.yaml"), storage, str(tmp_path / "out"), *numbers]
    done = subprocess.run(
        [sys.executable, str(KILLER), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    config = read_config(tmp_path / "config.yaml")
    space = read_space(tmp_path / "space.yaml", config)
    return open_study("study", storage, config, space, locks_for(storage, tmp_path / "out", "study"))


def check(study, tmp_path, trials, steps=30):
    found = study.trials()
    assert [trial.number for trial in found] == list(range(trials))
    with open(tmp_path / "out" / "trials.csv", encoding="utf8", newline="") as file:
        assert [int(row["trial"]) for row in csv.DictReader(file)] == list(range(trials))
    for trial in found:
        if trial.state.name == "FAIL":
            assert "its worker died 10 times" in trial.user_attrs["failure"]
            continue
        assert trial.state.name == "COMPLETE"
        runs = [Run(tmp_path / "out" / "trials" / str(trial.number) / seed) for seed in ("0", "1")]
        assert all(run.is_finished and run.config.optimiser.lr == trial.params["optimiser.lr"] for run in runs)
        losses = [[r["task"] for r in run.metrics() if r["split"] == "val"] for run in runs]
        assert math.isclose(trial.values[0], sum(values[-1] for values in losses) / 2, rel_tol=1e-12)
        assert [len(run.metrics()) for run in runs] == [steps + len(values) + 1 for values in losses]
    assert sum(trial.user_attrs.get("deaths", 0) for trial in found) > 0
    assert Run(tmp_path / "out" / "best" / "0").is_finished


@pytest.mark.slow
def test_workers_are_killed(small, tmp_path, postgres_database):
    check(killed(small, tmp_path, postgres_database, 6, 2, 3), tmp_path, 6)


@pytest.mark.slow
def test_workers_on_a_journal_are_killed(small, tmp_path):
    check(killed(small, tmp_path, str(tmp_path / "a.journal"), 4, 2, 2, 20), tmp_path, 4, 20)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgres", "journal"])
def test_many_workers_are_killed(small, tmp_path, kind, request):
    storage = request.getfixturevalue("postgres_database") if kind == "postgres" else str(tmp_path / "a.journal")
    check(killed(small, tmp_path, storage, 40, 4, 20, 150), tmp_path, 40, 150)
