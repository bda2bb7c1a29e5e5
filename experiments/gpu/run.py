"""Eight minutes of one GPU: the times that a CPU cannot tell, in order of worth, each part within its own limit.

bash experiments/gpu/run.sh                                  # all parts on a GPU
bash experiments/gpu/run.sh --device cpu --size 0.01         # a dry run
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parent


class Part(NamedTuple):
    """Where the rows of a part come from, and how many seconds it may take, its start included."""

    module: str
    seconds: int
    resumes: bool = False


PARTS = {
    "warps": Part("steps", 40),
    "layers": Part("steps", 30),
    "methods": Part("compiled", 150),
    "transformers": Part("attention", 45),
    "ensembles": Part("ensembles", 45),
    "scaling": Part("scaling", 70, resumes=True),
    "digits": Part("digits", 65),
    "graphs": Part("graphs", 30),
}
"""In order of worth; together they take less than eight minutes."""
SHOWN = (
    *("ratio", "times faster", "at least", "target", "met", "waits", "graph breaks"),
    *("accuracy", "shortened", "test error", "not run"),
)
"""Entries of a row that are printed."""
SPARE = 5
"""Seconds of a limit in which a part only writes and ends."""


def main() -> int:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.part is not None:
        return _measure(options)
    states = {}
    for name in options.parts or PARTS:
        states[name] = _run(name, options)
        _write(options, states)
    print(f"written: {options.out / 'results.json'}")
    return int(any(state.startswith("failed") for state in states.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results; the grid of scaling resumes")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--size", type=_share, default=1.0, help="share of the full size, above 0 and at most 1")
    parser.add_argument("--parts", nargs="+", choices=PARTS, metavar="PART", help=f"these alone, of {', '.join(PARTS)}")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args()
    if options.device == "cuda" and options.part is None and not _has_gpu():
        parser.error("argument --device: got cuda, and PyTorch sees no GPU here; give --device cpu for a dry run")
    return options


def _share(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0 < value <= 1):
        raise argparse.ArgumentTypeError(f"got {text}, must be above 0 and at most 1; 0.01 is a dry run")
    return value


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _run(name: str, options: argparse.Namespace) -> str:
    """Run a part in a process of its own, which ends with its limit; returns how it ended."""
    file, limit = _file(options.out, name), PARTS[name].seconds
    if not PARTS[name].resumes:
        file.unlink(missing_ok=True)
    words = ["--part", name, "--out", str(options.out), "--device", options.device, "--size", str(options.size)]
    print(f"{name}, at most {limit} s ...", flush=True)
    start = time.monotonic()
    try:
        code = subprocess.run([sys.executable, str(FOLDER / "run.py"), *words], timeout=limit, check=False).returncode
    except subprocess.TimeoutExpired:
        return f"stopped after {limit} s, its limit; rows until then are kept"
    took = f"{time.monotonic() - start:.0f} s"
    return f"finished in {took}" if code == 0 else f"failed with exit code {code} after {took}; see what it printed"


def _measure(options: argparse.Namespace) -> int:
    """The rows of one part, each written as it comes."""
    end = time.monotonic() + PARTS[options.part].seconds - SPARE
    for folder in (FOLDER, FOLDER.parents[1]):
        sys.path.insert(0, str(folder))
    trial = importlib.import_module("trial").Trial(options.device, options.size, end)
    function = getattr(importlib.import_module(PARTS[options.part].module), options.part)
    file = _file(options.out, options.part)
    done = _rows(file)
    for row in function(trial, done) if PARTS[options.part].resumes else function(trial):
        _append(file, row)
    if trial.left_out:
        limit = f"no time left of {PARTS[options.part].seconds} s"
        _append(file, {"name": f"{len(trial.left_out)} left out", "not run": limit, "left out": trial.left_out})
    return 0


def _append(file: Path, row: dict[str, Any]) -> None:
    """One line, on disk before the next row begins."""
    with file.open("a", encoding="utf8") as stream:
        stream.write(json.dumps(row) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    print(f"  {_shown(row)}", flush=True)


def _shown(row: dict[str, Any]) -> str:
    found = {key: row[key] for key in SHOWN if row.get(key) is not None}
    numbers = {key: f"{value:.4g}" if isinstance(value, float) else value for key, value in found.items()}
    return f"{row['name']}: " + ", ".join(f"{key} {value}" for key, value in numbers.items())


def _file(out: Path, name: str) -> Path:
    return out / f"{name}.jsonl"


def _rows(file: Path) -> list[dict[str, Any]]:
    """All whole lines; a part that was stopped may have torn the last one."""
    if not file.exists():
        return []
    whole = file.read_text(encoding="utf8").split("\n")[:-1]
    return [json.loads(line) for line in whole if line]


def _write(options: argparse.Namespace, states: dict[str, str]) -> None:
    """What is known so far, put in its place at once."""
    from benchmarks.__main__ import machine

    parts = {name: {"state": state, "rows": _rows(_file(options.out, name))} for name, state in states.items()}
    content = {"machine": machine(options.device), "size": options.size, "parts": parts}
    draft = options.out / "results.json.part"
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf8")
    draft.replace(options.out / "results.json")


if __name__ == "__main__":
    sys.exit(main())
