"""Comparisons whose cells have ended without being trained: rows are written by what writes those of a user's runs."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from learnsym.comparison import Cell, ComparisonConfig, Plan
from learnsym.comparison.plan import keep
from learnsym.comparison.rows import write_finished
from learnsym.degrees import Degree
from learnsym.training import Run
from learnsym.workers import Locks, locks_for

BASE = {
    "data": {"name": "digits", "size": 8, "val": 100, "test": 100},
    "net": {"name": "mlp", "width": 8, "depth": 1},
    "train": {"steps": 100, "batch_size": 16, "device": "cpu"},
}
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"twin": "plain"},
    "learned": {},
    "exact": {"twin": "exact", "method": {"orbit": 4}},
    "augmented": {"twin": "fixed"},
}
CURVES = {"plain": (4.0, 0.5), "learned": (2.0, 0.45), "exact": (1.5, 0.36), "augmented": (2.6, 0.46)}
"""Factor and exponent of the share of wrong answers, by arm."""
AXES: dict[str, Sequence[float]] = {
    "train_sizes": list(range(20, 201, 20)),
    "sizes": [8, 12, 16, 24, 32],
    "steps": [100, 200],
    "lrs": [0.1, 0.03, 0.01, 0.003],
    "seeds": [0, 1, 2, 3, 4],
}
"""8,000 cells at 100 places."""
MANY_PLACES: dict[str, Sequence[float]] = {
    "train_sizes": list(range(10, 1001, 10)),
    "sizes": list(range(8, 28)),
    "steps": [100],
    "lrs": [0.01],
    "seeds": [0],
}
"""8,000 cells at 2,000 places."""


def configuration(axes: Mapping[str, Sequence[float]] = AXES) -> ComparisonConfig:
    """Four arms over these axes."""
    return ComparisonConfig(base=BASE, arms=ARMS, **cast(Any, {name: list(values) for name, values in axes.items()}))


def finished_comparison(config: ComparisonConfig, folder: Path) -> tuple[Plan, Locks]:
    """A folder in which every cell has ended, with its plan and its locks."""
    plan, locks = Plan.kept(config, folder), locks_for(None, folder, "compare")
    keep(plan, folder, locks)
    for cell in plan.cells:
        write_finished(folder, cell, plan.network(cell), MadeRun(cell), 1e-3 * cell.config.train.steps)
    return plan, locks


class MadeRun(Run):
    """What a row asks of a run: scores on a learning curve with noise, and degrees that grow with the examples."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.noise = cell, random.Random(cell.key)

    @property
    def twin(self) -> str:
        return self.cell.config.twin

    def metrics(self) -> list[dict[str, Any]]:
        cell, (factor, exponent) = self.cell, CURVES[self.cell.arm]
        size = (16 / cell.size) ** 0.15 * (100 / cell.config.train.steps) ** 0.1
        rate = 1 + 0.05 * abs(math.log(cell.config.optimiser.lr / 0.03))
        wrong = min(factor * cell.train**-exponent * size * rate * math.exp(0.05 * self.noise.gauss(0, 1)), 0.9)
        return [{"split": split, "task": 4 * wrong, "accuracy": 1 - wrong} for split in ("val", "test")]

    def degrees(self) -> list[Degree]:
        share = 1 - 5 / (self.cell.train + 10) ** 0.5
        return [
            _degree(generator, unit, top * (share + 0.05 * self.noise.gauss(0, 1)))
            for generator, unit, top in (("rotation", "degree", 60.0), ("scale", "log", 0.2), ("shear", "1", 0.2))
        ]


def _degree(generator: str, unit: str, estimate: float) -> Degree:
    return Degree(
        site="input",
        group="affine2d",
        generator=generator,
        unit=unit,
        notion="task",
        estimate=estimate,
        low=None,
        high=None,
        level=0.9,
        method="augerino",
        data="",
    )
