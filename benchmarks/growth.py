"""How costs grow: `python -m benchmarks.growth [--only NAME ...] [--repeats N] [--out FILE.json]`.

Each case of `growth_cases`, and of a tuple `GROWTH` in any other module of the benchmarks, is timed at sizes over a
factor of 16 or more, all sizes in turn in one process, in time of the processor. The exponent `b` of `time = a size^b`
is the slope of a line through the medians on logarithmic axes, with Student's interval from the residuals; the slope
between the two largest sizes stands beside it, since what each call costs anyway hides growth at small sizes. A case is
met when its exponent is no more than 0.15 above that of its theory.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import pkgutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch

import benchmarks
from benchmarks.__main__ import machine
from benchmarks.growth_cases import Case
from learnsym.statistics import Interval, student_quantile

ALLOWED = 0.15
"""By how much an exponent may exceed that of the theory."""
LEAST_FACTOR = 16
SHORTEST = 0.02
"""Seconds that one measurement takes or more; shorter calls are repeated within it."""
COLUMNS = ("case", "grows", "exponent", "at the end", "theory", "met", "seconds")


def main(arguments: list[str] | None = None) -> int:
    options, known = _parser().parse_args(arguments), cases()
    if wrong := _wrong(options, known):
        print(f"growth: error: {wrong}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    rows = []
    for case in known:
        if not options.only or {case.name, case.axis} & set(options.only):
            print(f"{case.name} ({case.axis}) ...", file=sys.stderr, flush=True)
            rows.append(measured(case, options.repeats))
    print(table(rows))
    if options.out is not None:
        content = {"machine": machine("cpu"), "results": rows}
        options.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf8")
        print(f"written: {options.out}")
    return 0


def cases() -> list[Case]:
    """Those of all modules of the benchmarks, in the order of the modules' names."""
    modules = (importlib.import_module(f"benchmarks.{each.name}") for each in pkgutil.iter_modules(benchmarks.__path__))
    return list(chain.from_iterable(getattr(module, "GROWTH", ()) for module in modules))


def measured(case: Case, repeats: int) -> dict[str, Any]:
    """One row: the exponent of a case beside that of its theory."""
    times = cpu_seconds([case.make(size) for size in case.sizes], repeats)
    return {"name": case.name, "axis": case.axis} | growth(case.sizes, times, case.theory, case.reason)


def growth(sizes: Sequence[int], seconds: Sequence[float], theory: float, reason: str) -> dict[str, Any]:
    """What a row says about the seconds of some sizes."""
    found = exponent(sizes, seconds)
    return {
        "exponent": found.estimate,
        "low": found.low,
        "high": found.high,
        "at the end": _slope(sizes[-2:], seconds[-2:]),
        "theory": theory,
        "reason": reason,
        "met": found.estimate <= theory + ALLOWED,
        "seconds": dict(zip(map(str, sizes), seconds, strict=True)),
    }


def cpu_seconds(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Median seconds of the processor for one call of each, called in turn, every second round backwards."""
    calls = [max(1, math.ceil(SHORTEST / max(_once(work, 1), 1e-6))) for work in works]
    seconds: list[list[float]] = [[] for _ in works]
    for round_ in range(repeats):
        for i in sorted(range(len(works)), reverse=round_ % 2 == 1):
            seconds[i].append(_once(works[i], calls[i]))
    return [statistics.median(each) for each in seconds]


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> Interval:
    """The slope of `log cost` over `log size` by least squares, with Student's interval from the residuals.

        b = Σ (x - x̄)(y - ȳ) / Σ (x - x̄)²,    s_b² = Σ (y - ȳ - b (x - x̄))² / (n - 2) / Σ (x - x̄)²

    Raises:
        ValueError: for fewer than three sizes, or sizes over less than a factor of 16.

    Example:
        >>> exponent([1, 4, 16], [2.0, 32.0, 512.0]).estimate
        2.0
    """
    if len(sizes) < 3 or max(sizes) < LEAST_FACTOR * min(sizes):
        raise ValueError(f"sizes: got {list(sizes)}, must be three or more over a factor of {LEAST_FACTOR}; add some")
    x, y = (torch.tensor(values, dtype=torch.float64).log() for values in (sizes, costs))
    x, y = x - x.mean(), y - y.mean()
    b = float(x @ y / x.square().sum())
    error = float(((y - b * x).square().sum() / (len(x) - 2) / x.square().sum()).sqrt())
    reach = student_quantile(0.9, len(x) - 2) * error
    return Interval(estimate=b, low=b - reach, high=b + reach)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Plain text, one line a case."""
    lines = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    padded = (zip(line, widths, strict=True) for line in lines)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in padded)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    found = f"{row['exponent']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
    seconds = "  ".join(f"{size}: {value:.2g}" for size, value in row["seconds"].items())
    met = "yes" if row["met"] else "NO"
    return row["name"], row["axis"], found, f"{row['at the end']:.2f}", f"{row['theory']:g}", met, seconds


def _slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    return math.log(costs[1] / costs[0]) / math.log(sizes[1] / sizes[0])


def _once(work: Callable[[], object], calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - start) / calls


def _wrong(options: argparse.Namespace, known: Sequence[Case]) -> str:
    """What is wrong with the arguments; empty when nothing is."""
    names = list(dict.fromkeys(chain.from_iterable((case.name, case.axis) for case in known)))
    if unknown := [name for name in options.only or () if name not in names]:
        return f"--only: got {unknown[0]!r}, must be one of {', '.join(names)}"
    return f"--repeats: got {options.repeats}, must be 1 or more; 5 is usual" if options.repeats < 1 else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="growth", description="How costs grow, beside what theory says.")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="cases of these names or axes alone, e.g. examples")
    parser.add_argument("--repeats", type=int, default=5, help="measured rounds over all sizes; the median counts")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="also written there; to the screen alone else")
    return parser


if __name__ == "__main__":
    sys.exit(main())
