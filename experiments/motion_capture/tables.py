"""Tables of the runs: means over seeds with Student's intervals, differences paired by seed.

python experiments/motion_capture/tables.py runs/motion_capture/rows.jsonl
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

Row = dict[str, Any]
TESTS = ("none", "SO(2)_y", "SO(2)_x", "SO(2)_z", "SO(3)")
UNIT = 1e-4
"""Square metres of a number in the tables: square centimetres per coordinate."""


def short(value: float) -> str:
    """Three digits, none after the point from 100 on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def interval(values: list[float], digits: int = 1) -> str:
    """Mean and 95 % interval."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.{digits}f}"
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{mean:.{digits}f} [{mean - half:.{digits}f}, {mean + half:.{digits}f}]"


def errors(rows: list[Row], names: list[str], reference: str) -> str:
    """Errors in cm² on the windows as they are and turned by each group, and how much worse than a reference."""
    lines = [
        f"| run | train | validation | test | minus `{reference}` | {' | '.join(f'turned, {g}' for g in TESTS[1:])} |",
        f"|---|---|---|---|---|{'---|' * 4}",
    ]
    against = {r["seed"]: r["test"]["none"] / UNIT for r in rows if r["name"] == reference}
    for name in names:
        same = [r for r in rows if r["name"] == name]
        if not same:
            continue
        cells = [interval([r[key] / UNIT for r in same], 2) for key in ("train", "val")]
        cells.append(interval([r["test"]["none"] / UNIT for r in same], 2))
        differences = [r["test"]["none"] / UNIT - against[r["seed"]] for r in same if r["seed"] in against]
        cells.append("-" if name == reference or not differences else interval(differences, 2))
        cells += [short(float(np.mean([r["test"][group] / UNIT for r in same]))) for group in TESTS[1:]]
        lines.append(f"| {name} ({len(same)}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def geometry(rows: list[Row], names: list[str]) -> str:
    """Parameters, `E'` in cm per group, the axis that the function keeps, degrees and the fixed vector."""
    lines = [
        f"| run | parameters | seconds | {' | '.join(f'E′ {g}, cm' for g in TESTS[1:])} "
        "| best axis to y, degrees | degrees of the layers | fixed vector to y, degrees |",
        f"|---|---|---|{'---|' * 7}",
    ]
    for name in names:
        same = [r for r in rows if r["name"] == name]
        if not same:
            continue
        cells = [f"{same[0]['parameters']:,}", f"{np.mean([r['seconds'] for r in same]):.0f}"]
        cells += [short(float(f"{100 * np.mean([r['defect'][group] for r in same]):.2g}")) for group in TESTS[1:]]
        cells.append(" ".join(f"{r['axis']['angle to y']:.0f}" for r in same if r["axis"]) or "-")
        cells.append(" ".join(",".join(f"{d:.2g}" for d in r["degrees"]) for r in same if r["degrees"]) or "-")
        up = [math.degrees(math.acos(min(1.0, abs(r["fixed"][1])))) for r in same if r["fixed"]]
        cells.append(" ".join(f"{angle:.1f}" for angle in up) or "-")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def weights(rows: list[Row], names: list[str]) -> str:
    """The weights that were learned, by seed."""
    lines = ["| run | " + " | ".join(("SO(2)_x", "SO(2)_y", "SO(2)_z", "SO(3)")) + " |", f"|---|{'---|' * 4}"]
    for name in names:
        same = [r for r in rows if r["name"] == name]
        cells = [
            " ".join(f"{r['weights'][group]:.3g}" for r in same if group in r["weights"]) or "-"
            for group in ("SO(2)_x", "SO(2)_y", "SO(2)_z", "SO(3)")
        ]
        if same:
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def chosen(rows: list[Row], names: list[str]) -> str:
    """What validation would choose, on windows as they are and turned about the vertical, and what that gives."""
    lines = [
        "| validation windows | seed | chosen | test | turned, SO(2)_y | turned, SO(3) |",
        "|---|---|---|---|---|---|",
    ]
    seeds = sorted({r["seed"] for r in rows if r["name"] in names})
    for key, words in (("val", "one heading"), ("val, turned", "all headings")):
        for seed in seeds:
            best = min((r for r in rows if r["seed"] == seed and r["name"] in names), key=lambda r: r[key])
            cells = [short(best["test"][group] / UNIT) for group in ("none", "SO(2)_y", "SO(3)")]
            lines.append(f"| {words} | {seed} | {best['name']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    from run import PARTS

    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    for data in dict.fromkeys(r["data"] for r in rows):
        some = [r for r in rows if r["data"] == data]
        for part, names in PARTS.items():
            print(f"\n{data}, {part}\n")
            reference = "EGNN" if part == "constraints" else "transformer"
            print(errors(some, [reference, *(name for name in names if name != reference)], reference), "\n")
            print(geometry(some, names), "\n")
            if part == "sweep":
                print("\n" + chosen(some, names))
            if part == "choosers":
                print("\n" + weights(some, names))


if __name__ == "__main__":
    main()
