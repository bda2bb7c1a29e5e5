"""Laws of work without a search for garbage."""

import gc
import subprocess
import sys

import pytest

from learnsym._uncollected import uncollected
from learnsym.cli import main


def test_searches_stop_within_and_go_on_afterwards():
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_searches_go_on_after_an_error():
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.isenabled()


def test_searches_go_on_after_a_comparison_that_is_refused(tmp_path):
    (tmp_path / "grid.yaml").write_text("arms: {plain: {twin: none-of-these}}\n", encoding="utf8")
    assert main(["compare", str(tmp_path / "grid.yaml"), "--out", str(tmp_path / "out"), "--dry-run"]) == 2
    assert gc.isenabled()


def test_a_process_of_a_command_ends_with_its_exit_code(tmp_path):
    command = [sys.executable, "-m", "learnsym", "compare", str(tmp_path / "missing.yaml"), "--out", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2 and "missing.yaml" in ended.stderr
