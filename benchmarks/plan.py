"""What a comparison of 8,000 cells costs before it trains anything, and what a command costs that only says an error.

`ratio` is time of the processor over a limit: of whole processes for commands, imports included. The comparison that is
continued has ended, so that all it does is to find that out and to write its table.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PLAN, ERROR, IMPORT = 3.0, 0.5, 0.05
"""Seconds."""


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Seven rows."""
    from benchmarks.made_comparison import configuration, finished_comparison
    from learnsym.comparison import dump_comparison

    repeats = min(repeats, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, wrong = folder / "grid.yaml", folder / "wrong.yaml"
        file.write_text(dump_comparison(configuration()), encoding="utf8")
        wrong.write_text("seedz: [0, 1]\n", encoding="utf8")
        dry = ["compare", str(file), "--out", str(folder / "dry"), "--dry-run"]
        missing = ["compare", str(folder / "missing.yaml"), "--out", str(folder / "out")]
        value = ["train", "demo", "--train.steps", "abc", "--out", str(folder / "out")]
        data = ["infer", str(folder / "missing.npz"), "--out", str(folder / "out")]
        unknown = ["compare", str(wrong), "--out", str(folder / "out")]
        rows = [
            _row("plan of 8,000 cells, learnsym compare --dry-run", _command(dry, 0, repeats), PLAN),
            _row("learnsym compare with a file that is missing", _command(missing, 2, repeats), ERROR),
            _row("learnsym compare with an unknown key in its file", _command(unknown, 2, repeats), ERROR),
            _row("learnsym train with a wrong value", _command(value, 2, repeats), ERROR),
            _row("learnsym infer with a file that is missing", _command(data, 2, repeats), ERROR),
        ]
        finished_comparison(configuration(), folder / "done")
        continued = statistics.median(_continued(folder / "done") for _ in range(repeats))
    rows.append(_row("8,000 finished cells continued, up to their table", continued, PLAN))
    own, torch = (_cpu([sys.executable, "-c", f"import {name}"], 0, repeats) for name in ("learnsym", "torch"))
    rows.append(_row("import learnsym", own, torch + IMPORT, f"that of import torch and {IMPORT:g} s"))
    note = f"import torch took {torch:.2f} s there"  # seconds grow on a busy machine
    return [row | {"note": note} for row in rows]


def _row(name: str, seconds: float, limit: float, said: str = "") -> dict[str, Any]:
    title = f"{name}, CPU time / {said or f'{limit:.3g} s'}"
    return {"name": title, "ratio": seconds / limit, "target": 1.0, "times": {"CPU": seconds}}


def _command(arguments: Sequence[str], code: int, repeats: int) -> float:
    return _cpu([sys.executable, "-m", "learnsym", *arguments], code, repeats)


def _cpu(command: Sequence[str], code: int, repeats: int) -> float:
    """Median time of the processor of a process that must end with this code, after one that is not counted.

    Python keeps what it has compiled of the package, as it does for users, also where the environment forbids it.
    """
    seconds = []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(repeats + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = subprocess.run(command, capture_output=True, text=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert ended.returncode == code, ended.stderr
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(seconds[1:])


def _continued(folder: Path) -> float:
    from benchmarks.made_comparison import configuration
    from learnsym.comparison import compare

    config, began = configuration(), time.process_time()
    found = compare(config, folder)
    assert len(found) == 8000
    return time.process_time() - began
