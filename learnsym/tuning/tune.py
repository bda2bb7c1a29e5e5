"""The loop of one worker of a study."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from learnsym.files import read_json, write_json
from learnsym.training import Interrupted, distributed
from learnsym.training.signals import StopRequest, stop_request
from learnsym.tuning.claims import BUSY, OVER, Claim, Claims
from learnsym.tuning.results import write_results, write_table
from learnsym.tuning.study import TuningStudy
from learnsym.tuning.trial import run_trial
from learnsym.workers import FolderLocks, full_disk, storage_errors

logger = logging.getLogger(__name__)

PAUSE = 0.5
"""Seconds between looks at trials that other workers hold."""
TABLE_EVERY = 10.0
"""Seconds between tables of the trials so far."""


def tune(
    study: TuningStudy, total: int, folder: str | os.PathLike[str], *, ended: Callable[[int], None] = lambda _: None
) -> None:
    """Work on a study until it has `total` trials that have ended, then write its results.

    Any number of processes may do this at once, on any number of machines; each trial is ended once. What a process
    that was killed has begun is continued by the others, or by the next call. Under `torchrun` the processes train each
    trial together, and the first one speaks with the study.

    Args:
        study: from `open_study`.
        total: trials, over all who work on it.
        folder: for run folders `trials/NUMBER/SEED`, `trials.csv`, and the best trial as `best`.
        ended: called with the number of ended trials whenever it may have changed.

    Raises:
        ValueError: for bad input, before any work.
        Interrupted: on a signal; the same call continues.
        OSError: such as a full disk; the same call continues.
        StorageLost: the same.
    """
    path = Path(folder)
    device = distributed.pick_device(study.config.train.device)
    with distributed.session(device), stop_request() as stop, full_disk():
        distributed.from_first(lambda: prepare(study, total, path))
        claims = Claims(study, total, path) if distributed.rank() == 0 else None
        watch = _Watch(study, path, ended)
        while _one(study, claims, path, stop):
            watch.look()
        if claims is not None:
            watch.look(last=True)
            with storage_errors(study.storage):
                write_results(study, path)


def _one(study: TuningStudy, claims: Claims | None, folder: Path, stop: StopRequest) -> bool:
    """Work on one trial, or wait for those of others; returns whether there may be more to do."""
    with contextlib.ExitStack() as stack:
        state, number, values, claim = _order(study, claims, stack, stop)
        if stop.number or state == STOPPED:
            raise Interrupted(stop.number or 15, "stopped by a signal; the same command continues the study")
        if claim is not None or number is not None:
            run_trial(study, number or 0, values, claim, folder)
    if state == BUSY:
        time.sleep(PAUSE * (0.5 + random.random()))
    return state != OVER


STOPPED = "stopped"


def _order(study: TuningStudy, claims: Claims | None, stack: contextlib.ExitStack, stop: StopRequest):  # noqa: ANN202
    """What to do next, which the first process decides for all; it alone has the claim."""
    own: list[Claim | None] = [None]

    def decide() -> tuple[str, int | None, dict]:
        assert claims is not None
        if stop.number:
            return STOPPED, None, {}
        with storage_errors(study.storage):
            state, own[0] = stack.enter_context(claims.next())
        claim = own[0]
        return (state, None, {}) if claim is None else (state, claim.number, claim.values)

    state, number, values = distributed.from_first(decide)
    return state, number, values, own[0]


def prepare(study: TuningStudy, total: int, folder: Path) -> None:
    """Refuse what would fail in each trial, and mark the folder as that of the study.

    Raises:
        ValueError: naming what is wrong.
    """
    if total < 1:
        raise ValueError(f"trials: got {total}, must be at least 1")
    _mark(study, folder)


def _mark(study: TuningStudy, folder: Path) -> None:
    """Make the folder of a study, unless it is that of another."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"out: {folder} is a file; name a folder")
    folder.mkdir(parents=True, exist_ok=True)
    content = {"study": study.name, "key": study.key}
    path = folder / "study.json"
    with FolderLocks(folder).waiting("folder"):
        if not path.exists() and ((folder / "trials").exists() or (folder / "config.yaml").exists()):
            raise ValueError(f"out: {folder} holds something else than a study; name another folder")
        if not path.exists():
            write_json(path, content)
    there = read_json(path, "out", "name another folder", {"study": str, "key": str})
    if there != content:
        raise ValueError(f"out: {folder} belongs to another study, {there['study']}; name another folder")


class _Watch:
    """Tells how far the study is, and keeps the table of its trials up to date."""

    def __init__(self, study: TuningStudy, folder: Path, ended: Callable[[int], None]) -> None:
        self.study, self.folder, self.ended = study, folder, ended
        self.written = time.monotonic()

    def look(self, last: bool = False) -> None:
        if distributed.rank() > 0:
            return
        with storage_errors(self.study.storage):
            self.ended(sum(trial.state.is_finished() for trial in self.study.trials()))
        if not last and time.monotonic() - self.written > TABLE_EVERY:
            write_table(self.study, self.folder)
            self.written = time.monotonic()
