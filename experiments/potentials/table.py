"""Rows as a table: means over seeds, and ratios that are paired by seed, with Student's 90 % intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np

from learnsym.statistics import over_seeds

Row = dict[str, Any]
ENERGY, FORCE = "energy_mae_meV_per_atom", "force_mae_meV_per_angstrom"
MEANS: dict[str, Callable[[Row], float]] = {
    "training: forces": lambda r: r["train"][FORCE],
    "energy, meV/atom": lambda r: r["test"][ENERGY],
    "forces, meV/Å": lambda r: r["test"][FORCE],
    "turned: energy": lambda r: r["turned"][ENERGY],
    "turned: forces": lambda r: r["turned"][FORCE],
    "equivariance error: energy": lambda r: r["equivariance"][ENERGY],
    "equivariance error: forces": lambda r: r["equivariance"][FORCE],
}
RATIOS = ("forces, meV/Å", "turned: forces")


def ratio(rows: list[Row], label: str, base: str, number: Callable[[Row], float]) -> str:
    """Geometric mean over seeds of a number over that of another arm, with its interval."""
    of = {(r["arm"], r["seed"]): number(r) for r in rows}
    seeds = [seed for arm, seed in of if arm == label and (base, seed) in of]
    if label == base or not seeds:
        return "-"
    if len(seeds) < 2:
        return f"{of[label, seeds[0]] / of[base, seeds[0]]:.2f}"
    found = over_seeds(np.log([of[label, seed] / of[base, seed] for seed in seeds]))
    return f"{np.exp(found.estimate):.2f} [{np.exp(found.low):.2f}, {np.exp(found.high):.2f}]"


def table(rows: list[Row], base: str) -> str:
    """One line per arm."""
    header = ["arm", "weights", *MEANS, *(f"{name.partition(',')[0]}: {base} = 1" for name in RATIOS)]
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    for label in dict.fromkeys(r["arm"] for r in rows):
        same = [r for r in rows if r["arm"] == label]
        means = [f"{np.mean([number(r) for r in same]):.1f}" for number in MEANS.values()]
        ratios = [ratio(rows, label, base, MEANS[name]) for name in RATIOS]
        lines.append(f"| {' | '.join([label, str(same[0]['parameters']), *means, *ratios])} |")
    return "\n".join(lines)
