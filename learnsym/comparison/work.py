"""What each worker does: claim a unit, train it, look for the next, until all cells have ended."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from learnsym.comparison.attempts import TooManyDeaths, attempt
from learnsym.comparison.plan import Plan
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
        left: called with the number of cells that have not ended, at the start and whenever it may have changed.

    Raises:
        ValueError: for bad input that was not seen before.
        Interrupted: on a signal; the same command continues.
        OSError: such as a full disk; nothing that was finished is lost.
    """
    with full_disk():
        _train_all(units(plan), folder, locks, left)


def _train_all(todo: Sequence[Unit], folder: Path, locks: Locks, left: Callable[[int], None]) -> None:
    while True:
        counts = {unit: len(unit.left(folder)) for unit in todo}
        left(sum(counts.values()))
        todo = [unit for unit in todo if counts[unit]]
        if not todo:
            return
        if not any(_claimed(unit, folder, locks) for unit in todo):
            time.sleep(PAUSE * (0.5 + random.random()))


def _claimed(unit: Unit, folder: Path, locks: Locks) -> bool:
    """Train a unit unless another worker holds or has ended it; returns whether it was trained here."""
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
