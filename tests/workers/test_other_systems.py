"""Without what only Unix has: locks of `filelock`, and memory that nobody counts. Run in processes that lack it."""

from __future__ import annotations

import subprocess
import sys

LACKING = """
import os, sys, torch
sys.modules["fcntl"] = sys.modules["resource"] = None
del os.sysconf, os.fork, os.register_at_fork
"""
ATTEMPTS = """
from pathlib import Path
from learnsym.training.lock import locked
from learnsym.workers import FolderLocks

def attempts():
    with FolderLocks("x").held("cell") as mine:
        print("cell", mine)
    try:
        with locked(Path(".")):
            print("folder True")
    except ValueError as error:
        print(error)
"""
TRAINING = """
from learnsym._memory import memory
from learnsym.cli import main

print(memory() == sys.maxsize)
small = ["--train.steps", "2", "--data.size", "8", "--data.train", "64", "--data.val", "32", "--data.test", "32"]
small += ["--twins", "[plain]", "--seeds", "[0]", "--train.batch_size", "8", "--net.width", "4", "--train.workers", "1"]
print(main(["train", "demo", "--out", "run", *small]))
"""
WHOLE = f"""
{LACKING}{ATTEMPTS}
import subprocess
other = [sys.executable, "-W", "ignore", "-c", {LACKING + ATTEMPTS + "attempts()"!r}]
with FolderLocks("x").held("cell"), FolderLocks("x").waiting("else"), locked(Path(".")):
    attempts()
    print(subprocess.run(other, capture_output=True, text=True, check=True).stdout, end="")
attempts()
{TRAINING}
"""


def test_locks_hold_and_training_runs(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", WHOLE]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    taken = ["cell False", "run: another process is training in .; wait for it to end"]
    lines = done.stdout.splitlines()
    assert lines[:7] == [*taken, *taken, "cell True", "folder True", "True"]
    assert lines[-1] == "0"
    assert (tmp_path / "run" / "weights.safetensors").exists()
