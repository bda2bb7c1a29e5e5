"""Run every benchmark: `python -m benchmarks --device cpu|cuda [--only NAME ...] [--repeats N] [--out FILE.json]`."""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import math
import pkgutil
import platform
import sys
from pathlib import Path
from typing import Any

import torch

import benchmarks

FOLDER = Path(__file__).parent
COLUMNS = ("benchmark", "ratio", "target", "met", "times (ms)")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("benchmarks: error: no CUDA device here; use --device cpu", file=sys.stderr)
        return 2
    known, rows = names(), []
    unknown = [name for name in options.only or () if name not in known]
    if unknown:
        print(f"benchmarks: error: --only: got {unknown[0]}, must be of {', '.join(known)}", file=sys.stderr)
        return 2
    for name in options.only or known:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found = importlib.import_module(f"benchmarks.{name}").run(options.device, options.repeats)
        rows += [found] if isinstance(found, dict) else list(found)
    print(table(rows))
    out = options.out or FOLDER / "results" / f"{datetime.date.today()}-{options.device}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine(options.device), "results": rows}, indent=2) + "\n", encoding="utf8")
    print(f"written: {out}")
    return 0


def names() -> list[str]:
    """Modules of this folder that have `run(device, repeats)`."""
    found = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]
    return [name for name in found if hasattr(importlib.import_module(f"benchmarks.{name}"), "run")]


def table(rows: list[dict[str, Any]]) -> str:
    """Plain text, one line a benchmark; a target is an upper limit of the ratio."""
    lines = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    padded = (zip(line, widths, strict=True) for line in lines)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in padded)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    ratio, target = row.get("ratio", math.nan), row.get("target")
    met = "-" if target is None else "yes" if ratio <= target else "NO"
    times = "  ".join(f"{name} {1e3 * seconds:.3g}" for name, seconds in row.get("times", {}).items())
    return (row["name"], f"{ratio:.3f}", "-" if target is None else f"<= {target:g}", met, times)


def machine(device: str) -> dict[str, Any]:
    """What the numbers depend on; no names of hosts, users or folders."""
    facts: dict[str, Any] = {
        "date": str(datetime.date.today()),
        "device": device,
        "processor": _processor(),
        "threads": 1,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    return facts | ({"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if device == "cuda" else {})


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Ratios, both sides timed in one run.")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where both sides run")
    parser.add_argument("--repeats", type=int, default=15, help="measured calls of each side; the median counts")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these benchmarks alone, e.g. warp")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="default: benchmarks/results/DATE-DEVICE.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
