"""The command `learnsym compare`: from a file to a table and a page."""

from __future__ import annotations

import json

import pytest

from learnsym.cli import main
from learnsym.comparison import chosen, compare, dump_comparison, read_comparison, table

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")


@pytest.fixture
def given(small, with_values, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(dump_comparison(with_values(small, train_sizes=[32], lrs=[1e-3, 1e-2])))
    return ["compare", str(path), "--out", str(tmp_path / "out")]


def refused(capsys, arguments, named):
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and named in error[0], error


def test_dry_run_says_the_cost_and_does_nothing(given, tmp_path, capsys):
    assert main([*given, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "8 of 8 cells left" in printed and "in one process" in printed and "matched by parameters" in printed
    assert not (tmp_path / "out").exists()


def test_table_and_page(given, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(given) == 0
    assert str(out / "comparison.html") in capsys.readouterr().out
    kept = pandas.read_parquet(out / "table.parquet")
    assert len(kept) == 8 and (kept.state == "finished").all()
    pandas.testing.assert_frame_equal(kept, table(out))
    best = chosen(kept)
    assert len(best) == 4
    for arm, rows in best.groupby("arm"):
        means = kept[kept.arm == arm].groupby("lr").val_loss.mean()
        assert set(rows.lr) == {means.idxmin()}
    assert main([*given, "--seeds", "[0, 1, 2]"]) == 0  # grows
    assert "4 of 12 cells left" in capsys.readouterr().out
    refused(capsys, [*given, "--seeds", "[0]"], "this comparison has not")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--seeds", "[]"], "zero cells"),
        (["--workers", "0"], "workers"),
        (["--colour", "3"], "colour"),
        (["--storage", "sqlite:///x.db"], "storage"),
        (["--storage", "postgresql://nobody@127.0.0.1:1/none"], "cannot be reached"),
        (["--train_sizes", "[100000]"], "data.train"),
        (["--match", "flop"], "match"),
    ],
)
def test_bad_input_is_named_before_any_work(given, tmp_path, capsys, more, named):
    refused(capsys, [*given, *more], named)
    assert not (tmp_path / "out" / "cells").exists()


def test_failed_cells_are_trained_again_when_asked(given, tmp_path, capsys):
    out, given = tmp_path / "out", [*given, "--lrs", "[1e-3]", "--seeds", "[0]"]
    assert main(given) == 0
    path = next((out / "rows").iterdir())
    path.write_text(json.dumps({**json.loads(path.read_text()), "state": "failed", "failure": "out of memory"}))
    assert main(given) == 0
    assert "out of memory" in capsys.readouterr().out
    assert main([*given, "--retry"]) == 0
    assert "1 of 2 cells left" in capsys.readouterr().out
    assert (table(out).state == "finished").all()


@pytest.mark.slow
def test_two_workers_make_the_same_table(given, tmp_path):
    assert main([*given, "--workers", "2"]) == 0
    one = compare(read_comparison(given[1]), tmp_path / "alone").drop(columns="seconds")
    two = table(tmp_path / "out").drop(columns="seconds")
    pandas.testing.assert_frame_equal(two, one)


@pytest.mark.slow
def test_jobs_of_a_cluster_end_all_cells(given, tmp_path):
    pytest.importorskip("submitit")
    assert main([*given, "--jobs", "2", "--cluster", "local"]) == 0
    assert len(table(tmp_path / "out")) == 8
