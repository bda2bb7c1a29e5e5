"""What each worker does: claim a unit, train it, look for the next, until all cells have ended."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from learnsym.comparison.attempts import TooManyDeaths, attempt
from learnsym.comparison.plan import Plan
from learnsym.comparison.rows import ended_cells
from learnsym.comparison.units import Unit, units
from learnsym.workers import Locks, full_disk

logger = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between looks at what other workers hold."""


def work(plan: Plan, folder: Path, locks: Locks, left: Callable[[int], None] = lambda _: None) -> None:
    """Train all units that no other worker holds, and wait for the others: what a dead one held is taken over.

    Args:
        plan: of the comparison.
        folder: that all workers share.
        locks: that all workers share.
        left: called with the number of cells that have not ended, at the start, at the end, and while cells end every
            second or so.

    Raises:
        ValueError: for bad input that was not seen before.
        Interrupted: on a signal; the same command continues.
        OSError: such as a full disk; nothing that was finished is lost.
    """
    with full_disk():
        _train_all(units(plan, ended_cells(folder)), folder, locks, left)


def _train_all(todo: Sequence[Unit], folder: Path, locks: Locks, left: Callable[[int], None]) -> None:
    while True:
        todo = _unended(todo, folder, left)
        if not todo:
            return
        if not _train_free(todo, folder, locks, left):
            time.sleep(PAUSE * (0.5 + random.random()))


def _unended(todo: Sequence[Unit], folder: Path, left: Callable[[int], None]) -> list[Unit]:
    """The units that have not ended, of which the cells are reported; one look at the folder for all of them."""
    ended = ended_cells(folder)
    counts = {unit: sum(cell.key not in ended for cell in unit.cells) for unit in todo}
    left(sum(counts.values()))
    return [unit for unit in todo if counts[unit]]


def _train_free(todo: Sequence[Unit], folder: Path, locks: Locks, left: Callable[[int], None]) -> bool:
    """Train the units that no other worker holds or has ended, one after the other; whether there was one."""
    trained, looked = False, time.monotonic()
    for unit in todo:
        if not _claimed(unit, folder, locks):
            continue
        trained = True
        if time.monotonic() - looked > PAUSE:  # not after each of them, whose number may be large
            _unended(todo, folder, left)
            looked = time.monotonic()
    return trained


def _claimed(unit: Unit, folder: Path, locks: Locks) -> bool:
    """Train a unit unless another worker holds or has ended it; returns whether it was trained here."""
    if not unit.left(folder):
        return False
    with locks.held(f"cell {unit.name}") as mine:
        if not (mine and unit.left(folder)):
            return False
        logger.info("training %s%s", unit.cells[0], f" and {len(unit.cells) - 1} more" if unit.cells[1:] else "")
        try:
            with attempt(folder / "attempts" / unit.name, unit.steps_done(folder)):
                unit.train(folder)
        except TooManyDeaths as error:
            logger.error("%s: %s", unit.cells[0], error)
            unit.fail(folder, str(error))
        return True
