"""The page of benchmarks from the files of results: `python -m benchmarks.summary` writes docs/benchmarks.md.

Of rows of one name on one device the newest counts. A row without a target is shown, too; what misses its target comes
first. The exponent at the end is that between the two largest sizes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "benchmarks" / "results", ROOT / "docs" / "benchmarks.md"
ALLOWED = 0.15
EXPONENTS = ("what", "against", "exponent (90 %)", "at the end", "theory", "because", "day")
HEAD = """# Benchmarks

<!-- This page is written by `python -m benchmarks.summary` from benchmarks/results; edit that. -->

Each row is a ratio of two medians of interleaved calls in one process: the library against the plain network, a peer or
the slow reference twin, or against a limit that the name gives. A target is an upper limit of the ratio.

    make bench                              # one CPU thread: all ratios
    python -m benchmarks --only augment     # some of them
    python -m benchmarks.growth             # how costs grow
    make bench-gpu                          # a CUDA device
"""
NO_GPU = "No benchmark has been run on a GPU yet: `make bench-gpu` is checked on a CPU at a hundredth of its size."


def main() -> None:
    PAGE.write_text(page(RESULTS), encoding="utf8")
    print(f"written: {PAGE.relative_to(ROOT)}")


def page(folder: Path) -> str:
    """The page in Markdown."""
    files = [json.loads(path.read_text(encoding="utf8")) for path in sorted(folder.glob("*.json"))]
    rows = newest(files)
    devices = sorted({row["device"] for row in rows})
    parts = [HEAD, *(_device(device, [row for row in rows if row["device"] == device]) for device in devices)]
    return "\n".join(parts if "cuda" in devices else [*parts, f"{NO_GPU}\n"])


def newest(files: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every row once, with the machine that it was measured on; of several of one name and device the newest."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for file in sorted(files, key=lambda file: file["machine"]["date"]):
        for row in file["results"]:
            facts = {key: file["machine"][key] for key in ("date", "device", "processor", "torch")}
            found[facts["device"], row["name"], row.get("axis", "")] = row | facts
    return list(found.values())


def _device(device: str, rows: list[dict[str, Any]]) -> str:
    ratios, growth = [row for row in rows if "ratio" in row], [row for row in rows if "exponent" in row]
    aimed = [row for row in ratios if row.get("target") is not None]
    missed = [row for row in aimed if not row["ratio"] <= row["target"]]
    met = [row for row in aimed if row["ratio"] <= row["target"]]
    free = [row for row in ratios if row.get("target") is None]
    machines = sorted({f"{row['processor']}, torch {row['torch']}" for row in rows})
    parts = [
        f"## On a {'GPU' if device == 'cuda' else 'CPU, one thread'}\n",
        f"{len(met)} of {len(aimed)} targets are met. Machines: {'; '.join(machines)}.\n",
        *_section("Targets missed", ("benchmark", "ratio", "target", "over", "times", "day"), map(_missed, missed)),
        *_section("Targets met", ("benchmark", "ratio", "target", "times", "day"), map(_met, met)),
        *_section("Without a target", ("benchmark", "ratio", "times", "day"), map(_free, free)),
        *_section("Growth", EXPONENTS, map(_growth, growth)),
    ]  # fmt: skip
    return "\n".join(parts)


def _section(title: str, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """A heading and a table; nothing when there is no line."""
    cells = [columns, ["---"] * len(columns), *lines]
    if len(cells) == 2:
        return []
    return [f"### {title}\n", *(f"| {' | '.join(line)} |" for line in cells), ""]


def _missed(row: dict[str, Any]) -> tuple[str, ...]:
    name, ratio, target, times, day = _met(row)
    return (name, ratio, target, f"{row['ratio'] / row['target'] - 1:+.0%}", times, day)


def _met(row: dict[str, Any]) -> tuple[str, ...]:
    name, ratio, times, day = _free(row)
    return (name, ratio, f"<= {row['target']:.3g}", times, day)


def _free(row: dict[str, Any]) -> tuple[str, ...]:
    name = f"{row['name']} ({row['note']})" if "note" in row else row["name"]
    return (name, f"{row['ratio']:.3g}", _times(row.get("times", {})), row["date"])


def _growth(row: dict[str, Any]) -> tuple[str, ...]:
    above = " **above theory**" if row["exponent"] > row["theory"] + ALLOWED else ""
    found = f"{row['exponent']:.2f} [{row['low']:.2f}, {row['high']:.2f}]{above}"
    end = f"{row['at the end']:.2f}"
    return (row["name"], row["axis"], found, end, f"{row['theory']:g}", row["reason"], row["date"])


def _times(times: dict[str, float]) -> str:
    return ", ".join(f"{name} {_span(seconds)}" for name, seconds in times.items())


def _span(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


if __name__ == "__main__":
    main()
