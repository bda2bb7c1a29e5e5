"""Rows as tables, with Student's intervals of differences that are paired by seed."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import t as student

Row = dict[str, Any]
NUMBERS: dict[str, Callable[[Row], float]] = {
    "train": lambda r: r["train"],
    "val": lambda r: r["val"],
    "test": lambda r: r["test"],
    "turned": lambda r: r["turned"],
    "E'": lambda r: r["deviation"]["SO(3)"],
}


def interval(values: list[float], digits: str = ".2e") -> str:
    """Mean and Student's 95 % interval."""
    mean = np.mean(values)
    if len(values) < 2:
        return format(mean, digits)
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{mean:{digits}} [{mean - half:{digits}}, {mean + half:{digits}}]"


def ratio(rows: list[Row], label: str, base: str, number: Callable[[Row], float]) -> str:
    """Geometric mean over seeds of a number over that of another arm, with its interval."""
    by_seed = {(r["arm"], r["seed"]): number(r) for r in rows}
    seeds = sorted({seed for arm, seed in by_seed if arm == label} & {seed for arm, seed in by_seed if arm == base})
    logs = np.log([by_seed[label, seed] / by_seed[base, seed] for seed in seeds])
    if len(logs) < 2:
        return ", ".join(f"{value:.2f}" for value in np.exp(logs))
    half = student.ppf(0.975, len(logs) - 1) * np.std(logs, ddof=1) / len(logs) ** 0.5
    low, mid, high = np.exp([logs.mean() - half, logs.mean(), logs.mean() + half])
    return f"{mid:.2f} [{low:.2f}, {high:.2f}]"


def table(rows: list[Row], base: str = "plain") -> str:
    """One line per arm: means, and ratios to the base."""
    shown = ("test", "turned", "E'")
    lines = [f"| arm | {' | '.join(NUMBERS)} | {' | '.join(f'{n}: {base} = 1' for n in shown)} | weights | CPU s |"]
    lines.append("|" + "---|" * (len(NUMBERS) + len(shown) + 3))
    for label in dict.fromkeys(r["arm"] for r in rows):
        same = [r for r in rows if r["arm"] == label]
        means = [f"{np.mean([number(r) for r in same]):.2e}" for number in NUMBERS.values()]
        ratios = [ratio(rows, label, base, NUMBERS[name]) for name in shown]
        weights = [f"{n} {np.mean([r['weights'][n] for r in same]):.3g}" for n in same[0]["weights"]]
        seconds = f"{np.mean([r['seconds'] for r in same]):.0f}"
        lines.append(f"| {' | '.join([label, *means, *ratios, ', '.join(weights), seconds])} |")
    return "\n".join(lines)
