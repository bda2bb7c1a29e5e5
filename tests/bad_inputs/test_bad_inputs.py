"""Bad input: one sentence that names what is wrong, exit code 2, before any work starts."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import rows_data
import rows_measure
import rows_runs
import rows_train
from bad import Bad

TABLES = [rows_measure.ROWS, rows_train.ROWS, rows_runs.ROWS, rows_data.ROWS]
ROWS = list(chain.from_iterable(TABLES))


@pytest.fixture(scope="module")
def forks():
    """A process that has imported learnsym and runs each command in a fork of itself."""
    script = Path(__file__).with_name("forks.py")
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield server
    server.stdin.close()
    server.wait()


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_one_sentence_and_exit_code_2(row: Bad, forks, tmp_path):
    if row.needs:
        pytest.importorskip(row.needs)
    row.prepare(tmp_path)
    had_run = (tmp_path / "run").exists()
    asked = {"folder": str(tmp_path), "words": row.arguments, "environment": row.environment}
    forks.stdin.write(json.dumps(asked) + "\n")
    forks.stdin.flush()
    answer = json.loads(forks.stdout.readline())
    lines = answer["error"].strip().splitlines()
    assert answer["code"] == 2, lines[-3:]
    assert len(lines) == 1, lines
    assert all(named in lines[0] for named in row.says), lines[0]
    assert (tmp_path / "run").exists() == had_run


def test_rows_have_names_of_their_own():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
