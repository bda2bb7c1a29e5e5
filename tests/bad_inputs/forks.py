"""Run commands of learnsym, each in a fork of this process, which has imported the library once.

Reads one JSON object a line, `{"folder": ..., "words": [...], "environment": {...}}`, and answers
`{"code": ..., "error": ...}`; the code is -1 for a command that did not end within PATIENCE seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

import learnsym.comparison  # all of these before the forks
import learnsym.methods
import learnsym.report.card
import learnsym.scaling
import learnsym.tuning  # noqa: F401
from learnsym.cli import main

with contextlib.suppress(ImportError):  # of the extra `scale`
    import optuna  # noqa: F401

PATIENCE = 60.0
MEMORY = 16 * 2**30


def run(folder: Path, words: list[str], environment: dict[str, str]) -> int:
    """The command in a child; its exit code, -1 when it was killed for its time."""
    child = os.fork()
    if not child:
        os.environ.update(environment)
        os._exit(_child(folder, words))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def _child(folder: Path, words: list[str]) -> int:
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number, name in ((0, os.devnull), (1, "stdout"), (2, "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_CREAT | os.O_WRONLY
        os.dup2(os.open(name, flags, 0o600), number)
    try:
        return main(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        folder = Path(asked["folder"])
        code = run(folder, asked["words"], asked["environment"])
        answer = {"code": code, "error": (folder / "stderr").read_text(errors="replace")}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
