"""Cells: what is computed once each, and what does not fit and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from learnsym import methods
from learnsym.data import source_by_name
from learnsym.data.known import Task, task_by_name
from learnsym.objectives import choosers
from learnsym.report.run.store import Piece
from learnsym.suite.config import READERS, Size, SuiteConfig
from learnsym.suite.reading import READ, unfit
from learnsym.suite.twins import TOLD, config_of, twin

FORMAT = 5
"""Raised when a cell computes something else, so that kept ones of older versions are not used."""
SECONDS = {
    "poses": 3.0,
    "closure": 2.0,
    "axis": 1.0,
    "extent": 30.0,
    "exact": 8.0,
    "plain": 3.0,
    "oracle": 3.0,
    "learned": 3.0,
}
"""Expected cost relative to a plain training, only for the bar."""
SHARED: dict[str, str] = dict.fromkeys(("projection", "residual", "probabilistic"), "constrained")
"""Methods whose twins that learn nothing are those of another one, so that they are trained once."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One answer that is asked for: of a reader or a twin, about a task, with a seed."""

    task: str
    method: str
    chooser: str = ""
    arm: str = ""
    """Empty for readers."""
    seed: int

    @property
    def estimator(self) -> str:
        """Method and chooser in one name."""
        return f"{self.method} × {self.chooser}" if self.chooser else self.method


def cells(config: SuiteConfig) -> Iterator[tuple[Cell, str]]:
    """All cells, each with the reason why it does not fit; empty where it does."""
    for task in config.tasks:
        missing = why_missing(task)
        for cell in _of_task(config, task):
            yield cell, missing or _why_unfit(config.effort, cell.task, cell.method, cell.chooser, cell.arm)


@cache
def _present(name: str) -> bool:
    return source_by_name(name).present


def why_missing(task: Task) -> str:
    """Why the data of a task are not there; empty when they are."""
    if not task.needs or _present(task.needs):
        return ""
    return f"skipped: {task.needs} is not found; set LEARNSYM_DATA, or run `learnsym data fetch {task.needs}`"


def _of_task(config: SuiteConfig, task: Task) -> Iterator[Cell]:
    for seed in config.all_seeds:
        for method in config.all_methods:
            if method in READERS:
                yield Cell(task=task.name, method=method, seed=seed)
                continue
            for arm in TOLD:
                yield Cell(task=task.name, method=method, arm=arm, seed=seed)
            for chooser in _choosers(config, method):
                yield Cell(task=task.name, method=method, chooser=chooser, arm="learned", seed=seed)


def _choosers(config: SuiteConfig, method: str) -> list[str]:
    return config.choosers or [name for name in choosers.registry if name in methods.registry[method].choosers]


@cache
def _why_unfit(size: Size, task: str, method: str, chooser: str, arm: str) -> str:
    if method in READERS:
        return unfit(method, task)
    try:
        run = config_of(task_by_name(task), method, chooser, arm, size, seed=0)
        run.method.check(run.net, run.loss, [run.twin], run.chooser)
    except ValueError as error:
        return str(error)
    return ""


def piece(config: SuiteConfig, cell: Cell, folder: Path) -> Piece:
    """The computation of a cell, the same one for cells that share it."""
    if cell.arm in TOLD:
        cell = replace(cell, method=SHARED.get(cell.method, cell.method))
    level = config.level if cell.method in READERS else None
    given = {**asdict(cell), "size": asdict(config.effort), "level": level, "format": FORMAT}
    given["truth"] = str(task_by_name(cell.task).truth)
    arguments = {"cell": cell, "config": config}
    probe = Piece(path=folder, function=computed, arguments=arguments, given=given)
    cost = SECONDS.get(cell.arm or cell.method, 1.0)
    return Piece(path=folder / f"{probe.key[:20]}.json", function=computed, arguments=arguments, given=given, cost=cost)


def computed(cell: Cell, config: SuiteConfig) -> dict[str, Any]:
    """The answer of a cell; what does not fit or fails has a reason in its place."""
    try:
        return _answer(cell, config)
    except ValueError as error:
        return {"reason": str(error)}
    except FloatingPointError as error:  # a loss that is not finite
        return {"reason": f"failed: {error}"}


def _answer(cell: Cell, config: SuiteConfig) -> dict[str, Any]:
    if cell.method in READERS:
        return READ[cell.method](cell.task, config.effort, cell.seed, config.level)
    return twin(cell.task, cell.method, cell.chooser, cell.arm, config.effort, cell.seed, config.device)
