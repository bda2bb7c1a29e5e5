"""Work on a comparison: every cell ends exactly once, whoever trains it and whoever dies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from learnsym.comparison import Plan, dump_comparison, work
from learnsym.comparison.attempts import MOST, TooManyDeaths, attempt
from learnsym.comparison.plan import keep
from learnsym.comparison.rows import COLUMNS, read_rows
from learnsym.comparison.units import run_path, units
from learnsym.training import Run, train_member
from learnsym.workers import FolderLocks

WORKERS = Path(__file__).with_name("workers.py")


def worked(config, folder):
    plan, locks = Plan.of(config), FolderLocks(folder)
    keep(plan, folder, locks)
    work(plan, folder, locks)
    return plan


def check_whole(plan, folder):
    """One row and one finished run for each cell, each step of each run recorded once."""
    rows = read_rows(folder)
    assert sorted(row["cell"] for row in rows) == sorted(cell.key for cell in plan.cells)
    assert {path.name for path in (folder / "cells").iterdir()} == {cell.key for cell in plan.cells}
    assert {row["failure"] for row in rows} == {None}
    for cell in plan.cells:
        run = Run(run_path(folder, cell))
        counts = Counter((record["split"], record["step"]) for record in run.metrics())
        steps = cell.config.train.steps
        assert counts == Counter(
            {**{("train", k): 1 for k in range(1, steps + 1)}, ("val", steps): 1, ("test", steps): 1}
        )
        assert run.is_finished


@pytest.fixture(scope="module")
def done(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    return worked(small, folder), folder


def test_every_cell_ends_once(done):
    check_whole(*done)


def test_rows_have_all_columns_and_the_scores_of_the_runs(done):
    plan, folder = done
    rows = {row["cell"]: row for row in read_rows(folder)}
    for cell in plan.cells:
        row = rows[cell.key]
        assert tuple(row) == COLUMNS
        test = Run(run_path(folder, cell)).metrics()[-1]
        assert (row["test_loss"], row["test_accuracy"]) == (test["task"], test["accuracy"])
        assert row["samples"] == 6 * 16 and row["epochs"] == 96 / row["train"]
        assert bool(json.loads(row["degrees"])) == (row["arm"] == "learned")


def test_small_plain_networks_are_stacked_and_learned_ones_are_not(done):
    assert sorted(len(unit.cells) for unit in units(done[0])) == [1, 1, 1, 1, 2, 2]


def test_stacked_cells_are_what_they_would_be_alone(done, tmp_path):
    plan, folder = done
    for cell in [cell for cell in plan.cells if cell.arm == "plain"]:
        alone = train_member(cell.config, tmp_path / cell.key)
        stacked = Run(run_path(folder, cell))
        for name, value in alone.weights().items():
            torch.testing.assert_close(stacked.weights()[name], value, rtol=1e-5, atol=1e-5)
        for one, other in zip(alone.metrics(), stacked.metrics(), strict=True):
            assert other["split"] == one["split"] and other["task"] == pytest.approx(one["task"], rel=1e-5)


def test_work_that_is_done_is_not_done_again(done):
    plan, folder = done
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    work(plan, folder, FolderLocks(folder))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_kept_plan_spares_the_matching(done, small, with_values, monkeypatch):
    plan, folder = done
    monkeypatch.setattr("learnsym.comparison.plan.networks", lambda config: [])
    assert Plan.kept(plan.config, folder) == plan
    assert Plan.kept(with_values(small, seeds=[7]), folder).networks == []


def test_a_comparison_grows_and_does_not_shrink(done, small, with_values):
    _, folder = done
    locks = FolderLocks(folder)
    with pytest.raises(ValueError, match=r"4 cells that this comparison has not, such as \[.*seed 1\]"):
        keep(Plan.of(with_values(small, seeds=[0])), folder, locks)
    keep(Plan.of(with_values(small, seeds=[0, 1, 2])), folder, locks)


def test_other_folders_are_refused(small, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match=r"is no comparison, but holds thesis\.tex"):
        keep(Plan.of(small), tmp_path, FolderLocks(tmp_path))
    with pytest.raises(ValueError, match="is a file"):
        keep(Plan.of(small), tmp_path / "thesis.tex", FolderLocks(tmp_path))


@pytest.mark.parametrize("stack_below", [0.0, 2e7])
def test_a_training_that_fails_has_its_reason_and_the_others_go_on(small, with_values, tmp_path, stack_below):
    rates = with_values(small, arms={"plain": small.arms["plain"]}, train_sizes=[32], lrs=[1e-3, 1e30])
    plan = worked(with_values(rates, stack_below=stack_below), tmp_path)
    states = {(row["lr"], row["seed"]): (row["state"], row["failure"]) for row in read_rows(tmp_path)}
    assert len(states) == len(plan.cells) == 4
    assert all(states[1e-3, seed] == ("finished", None) for seed in (0, 1))
    assert all(states[1e30, seed][0] == "failed" and "not finite" in states[1e30, seed][1] for seed in (0, 1))


def test_what_dies_again_and_again_is_given_up(tmp_path):
    path = tmp_path / "attempts" / "cell"
    for deaths in range(MOST):
        with pytest.raises(KeyboardInterrupt), attempt(path, step=3):
            note = path.read_text()
            raise KeyboardInterrupt
        path.write_text(note)  # as if the process had died
        assert json.loads(note)["deaths"] == deaths
    with pytest.raises(TooManyDeaths, match=f"died {MOST} times at step 3"), attempt(path, step=3):
        pass
    path.write_text(note)
    with attempt(path, step=4):  # it had come further
        assert json.loads(path.read_text())["deaths"] == 1
    assert not path.exists()


def killed(config, folder, kills, storage="", pause=1.0):
    """Three workers, of which `kills` are killed and replaced."""
    file = folder.with_suffix(".yaml")
    file.write_text(dump_comparison(config))
    command = [sys.executable, str(WORKERS), str(file), str(folder), storage, "3", str(kills), str(pause)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    check_whole(Plan.of(config), folder)


@pytest.mark.slow
def test_three_workers_of_which_some_are_killed(small, with_values, tmp_path):
    killed(with_values(small, steps=[60], stack_below=0.0), tmp_path / "out", kills=3, pause=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["folder", "postgresql"])
def test_twenty_kills(small, with_values, tmp_path, request, storage):
    url = request.getfixturevalue("postgres_url") if storage == "postgresql" else ""
    grown = with_values(small, steps=[400], seeds=list(range(6)), stack_below=0.0)
    killed(grown, tmp_path / "out", kills=20, storage=url, pause=0.6)


@pytest.mark.slow
def test_killed_workers_on_postgresql(small, with_values, tmp_path, postgres_url):
    killed(with_values(small, steps=[60]), tmp_path / "out", kills=2, storage=postgres_url, pause=0.5)
