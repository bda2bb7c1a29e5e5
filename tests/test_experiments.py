"""Experiments are code that depends on the library: each has a help text, and trains through `training.fit`."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"
OWN_LOOPS = {
    "remul/timing.py": "times the update alone, without what fit records",
    "using_equivariance/digits.py": "the published schedule halves rates in steps, which fit does not have",
}
"""Files with a training loop of their own, and why."""


def _named(path: Path) -> str:
    return str(path.relative_to(EXPERIMENTS))


def _runnable() -> list[Path]:
    """Files with a command line."""
    return [path for path in sorted(EXPERIMENTS.rglob("*.py")) if "ArgumentParser(" in path.read_text(encoding="utf8")]


def test_experiments_train_through_fit():
    files = sorted(EXPERIMENTS.rglob("*.py"))
    assert len(files) > 20
    own = {_named(path) for path in files if re.search(r"\.backward\(", path.read_text(encoding="utf8"))}
    assert own == set(OWN_LOOPS)


@pytest.mark.parametrize("path", _runnable(), ids=_named)
def test_every_experiment_shows_its_help(path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    monkeypatch.syspath_prepend(str(path.parent))
    # other experiments have modules of the same names
    before = set(sys.modules)
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(path), run_name="__main__")
    finally:
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(EXPERIMENTS)):
                del sys.modules[name]
    assert ended.value.code == 0
    assert "--out" in capsys.readouterr().out
