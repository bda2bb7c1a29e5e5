"""Units of work: what one process trains at a time, a cell alone or several as one stacked ensemble."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from learnsym.comparison.grid import Cell
from learnsym.comparison.plan import Plan
from learnsym.comparison.rows import row_path, write_failed, write_finished
from learnsym.data.splits import load_each
from learnsym.training import Run, RunConfig, train_member
from learnsym.training.checkpoint import weights_step
from learnsym.training.distributed import pick_device
from learnsym.training.stacked_members import can_stack, train_stacked

logger = logging.getLogger(__name__)

STACK_BELOW = {"cpu": 2e7, "cuda": 2e9}
"""FLOPs of a step below which calls cost more than arithmetic; on a CPU by `benchmarks/ensemble.py`."""


@dataclass(frozen=True, eq=False)
class Unit:
    """Cells that are trained together."""

    plan: Plan
    cells: Sequence[Cell]

    @property
    def name(self) -> str:
        """The name by which locks and notes know it."""
        return self.cells[0].key

    def left(self, folder: Path) -> list[Cell]:
        """The cells that have no row."""
        return [cell for cell in self.cells if not row_path(folder, cell).exists()]

    def steps_done(self, folder: Path) -> int:
        """Steps of the checkpoint, if any; an ensemble keeps none before its end."""
        return 0 if len(self.cells) > 1 else weights_step(run_path(folder, self.cells[0])) or 0

    def train(self, folder: Path) -> None:
        """Train what has not ended, and keep one row for each cell.

        A cell whose training fails ends with a row that says why; bad input, a full disk and signals are raised.
        """
        missing = self.left(folder)
        if len(missing) > 1:
            self._train_stacked(missing, folder)
        elif missing:
            self._train_alone(missing[0], folder)

    def fail(self, folder: Path, reason: str) -> None:
        """End all cells that have not ended, with the reason."""
        for cell in self.left(folder):
            write_failed(folder, cell, self.plan.network(cell), reason)

    def _train_alone(self, cell: Cell, folder: Path) -> None:
        begun, started = self.steps_done(folder), time.perf_counter()
        try:
            run = train_member(cell.config, run_path(folder, cell))
        except (RuntimeError, FloatingPointError) as error:
            self._note_failure(folder, cell, error)
            return
        steps = cell.config.train.steps
        # what an earlier process took is not known, but its share of the steps is
        seconds = (time.perf_counter() - started) * steps / max(steps - begun, 1)
        write_finished(folder, cell, self.plan.network(cell), run, seconds)

    def _train_stacked(self, missing: Sequence[Cell], folder: Path) -> None:
        todo = [cell for cell in missing if not _is_finished(run_path(folder, cell))]
        started, errors = time.perf_counter(), {}
        try:
            if todo:
                errors = train_stacked([(cell.config, run_path(folder, cell)) for cell in todo])
        except RuntimeError as error:  # such as too little memory
            errors = {run_path(folder, cell): error for cell in todo}
        seconds = (time.perf_counter() - started) / max(len(todo), 1)
        for cell in missing:
            path = run_path(folder, cell)
            if path in errors:
                self._note_failure(folder, cell, errors[path])
            else:
                write_finished(folder, cell, self.plan.network(cell), Run(path), seconds)

    def _note_failure(self, folder: Path, cell: Cell, error: Exception) -> None:
        logger.error("%s: %s", cell, error)
        write_failed(folder, cell, self.plan.network(cell), str(error) or type(error).__name__)


def run_path(folder: Path, cell: Cell) -> Path:
    """The run folder of a cell."""
    return folder / "cells" / cell.key


def units(plan: Plan, ended: Set[str] = frozenset()) -> list[Unit]:
    """All units, cheap ones first: members of small networks that differ in seed and rate alone are stacked.

    Args:
        plan: of the comparison.
        ended: names of cells; units of which all cells have ended are left out.
    """
    points = [list(same) for _, same in groupby(sorted(plan.cells, key=_point), key=_point)]
    points = [cells for cells in points if any(cell.key not in ended for cell in cells)]
    stacked = _stackable(plan, points)
    found: list[Unit] = []
    for cells in points:
        found += [Unit(plan, cells)] if _key(cells) in stacked else [Unit(plan, [cell]) for cell in cells]
    return sorted(found, key=lambda unit: sum(map(plan.compute, unit.cells)))


def _stackable(plan: Plan, points: Sequence[Sequence[Cell]]) -> set[tuple[str, int]]:
    """Arms and sizes of which cells can be stacked; data that several have in common are loaded once."""
    small: dict[tuple[str, int], list[RunConfig]] = {}
    for cells in points:
        if _key(cells) not in small and _is_small(plan, cells):
            small[_key(cells)] = [cell.config for cell in cells]
    splits = load_each([members[0].data for members in small.values()])
    return {key for (key, members), own in zip(small.items(), splits, strict=True) if can_stack(members, own)}


def _key(cells: Sequence[Cell]) -> tuple[str, int]:
    return cells[0].arm, cells[0].size


def _is_small(plan: Plan, cells: Sequence[Cell]) -> bool:
    """Whether a step of a network costs more in calls than in arithmetic, so that stacking it would pay."""
    config, limit = cells[0].config, plan.config.stack_below
    if limit is None:
        limit = STACK_BELOW[pick_device(config.train.device).type]
    return len(cells) > 1 and plan.network(cells[0]).flops_counted * config.train.batch_size < limit


def _point(cell: Cell) -> tuple[str, int, int, int]:
    return cell.arm, cell.size, cell.train, cell.config.train.steps


def _is_finished(path: Path) -> bool:
    return (path / "config.yaml").exists() and Run(path).is_finished
