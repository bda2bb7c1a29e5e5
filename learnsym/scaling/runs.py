"""The runs of a comparison, as laws take them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pandas import DataFrame

LOSSES = ("test", "val")
COSTS = {"counted": "flops_counted", "nominal": "flops_nominal"}


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The finished runs of one arm, one entry each."""

    arm: str
    N: np.ndarray
    """Trainable parameters."""
    D: np.ndarray
    """Samples seen, repetitions too."""
    U: np.ndarray
    """Training examples."""
    loss: np.ndarray
    cells: np.ndarray
    """Names of cells, common to the arms: training examples, size and steps."""
    cost: dict[str, np.ndarray]
    """Of training on one sample: `counted` and `nominal` FLOPs, and `seconds`; without what is unknown."""

    @property
    def epochs(self) -> np.ndarray:
        """How often each example was seen."""
        return self.D / self.U

    @property
    def cell_count(self) -> int:
        """Number of cells."""
        return len(np.unique(self.cells))

    def compute(self, kind: str) -> np.ndarray:
        """What each whole training cost."""
        return self.cost[kind] * self.D

    def where(self, chosen: np.ndarray) -> Runs:
        """Some of the runs."""
        parts = {name: getattr(self, name)[chosen] for name in ("N", "D", "U", "loss", "cells")}
        return Runs(arm=self.arm, cost={kind: values[chosen] for kind, values in self.cost.items()}, **parts)


def read_runs(folder: str | Path, loss: str = "test", unfinished: bool = False) -> tuple[list[Runs], list[str]]:
    """The runs of every arm of a comparison, and what was left out, in words.

    Where several learning rates were trained, the one with the best validation loss counts.

    Args:
        folder: of `learnsym compare`, with `table.parquet`.
        loss: `test` or `val`.
        unfinished: whether a comparison is taken of which cells are left to train; what was left out says so.

    Raises:
        ValueError: when there is no table, it is none of a comparison, cells are left to train, or no cell has finished
            with such a loss.
    """
    if loss not in LOSSES:
        raise ValueError(f"loss: got {loss!r}, must be test or val; choose one of them")
    from learnsym.comparison import chosen
    from learnsym.comparison.table import read_table

    table = read_table(Path(folder))
    left = _left(Path(folder), len(table), unfinished)
    finished = chosen(table)
    values = finished[f"{loss}_loss"].to_numpy(dtype=float)
    good = finished.iloc[np.flatnonzero(np.isfinite(values) & (values > 0))]
    if not len(good):
        raise ValueError(
            f"folder: {folder} has {len(table)} ended cells and none that finished with a positive {loss} loss; "
            "train them first, or choose the other loss"
        )
    counts = {
        "cells are not trained yet and are left out": left,
        f"finished runs have no positive, finite {loss} loss and are left out": len(finished) - len(good),
        "cells failed and are left out": int((table.state == "failed").sum()),
    }
    arms = [_runs(str(arm), rows, f"{loss}_loss") for arm, rows in good.groupby("arm", sort=False)]
    return arms, [f"{count} {text}." for text, count in counts.items() if count]


def _left(folder: Path, ended: int, unfinished: bool) -> int:
    """How many cells of the plan, where there is one, are not in the table."""
    from learnsym.comparison.plan import read_plan

    planned = len((read_plan(folder, "folder") or {"cells": ()})["cells"])
    if planned > ended and not unfinished:
        raise ValueError(
            f"folder: {folder} has trained {ended} of {planned} cells; continue with learnsym compare "
            f"{folder / 'comparison.yaml'} --out {folder}, or give --unfinished to take it as it is"
        )
    return max(planned - ended, 0)


def _runs(arm: str, rows: DataFrame, loss: str) -> Runs:
    def column(name: str) -> np.ndarray:
        return rows[name].to_numpy(dtype=float)

    cost = {kind: column(name) for kind, name in COSTS.items() if name in rows}
    if "seconds" in rows:
        cost["seconds"] = column("seconds") / column("samples")
    known = {kind: values for kind, values in cost.items() if np.isfinite(values).all() and (values > 0).all()}
    names = zip(*(rows[name].astype(int) for name in ("train", "size", "steps")), strict=True)
    return Runs(
        arm=arm,
        N=column("parameters"),
        D=column("samples"),
        U=column("train"),
        loss=column(loss),
        cells=np.array([f"{train} examples, size {size}, {steps} steps" for train, size, steps in names]),
        cost=known,
    )
