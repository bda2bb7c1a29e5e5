"""One trial: trainings with its values, one for each seed, until all are done or the trial is pruned."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from learnsym.training import Interrupted, NonFiniteLoss, RunConfig, distributed, members, train_member
from learnsym.tuning.claims import Claim, trial_folder
from learnsym.tuning.scores import BadScore, scores
from learnsym.tuning.space import Value, configured
from learnsym.tuning.study import TuningStudy
from learnsym.workers import StorageLost, storage_errors

logger = logging.getLogger(__name__)

CHECKPOINTS = 10
"""Checkpoints of each training of a trial, at least: of fewer steps, one after each."""


def run_trial(study: TuningStudy, number: int, values: Mapping[str, Value], claim: Claim | None, folder: Path) -> None:
    """Train a trial to its end, and tell the study.

    Under `torchrun` all processes call this; the first has the claim, and what it decides holds for all.

    Args:
        study: that the trial belongs to.
        number: of the trial.
        values: by dotted key.
        claim: of the first process, None in the others.
        folder: of the study.

    Raises:
        Interrupted: on a signal; the trial is left to the next worker.
        OSError: such as a full disk; the same.
        StorageLost: the same.
    """
    logger.info("trial %d: %s", number, ", ".join(f"{key} {_shown(value)}" for key, value in values.items()))
    began = time.monotonic()
    try:
        scores = _trained(study, number, values, claim, folder)
    except (Interrupted, OSError, StorageLost):
        raise
    except Exception as error:
        if distributed.world() > 1 and not isinstance(error, NonFiniteLoss | ValueError | BadScore):
            raise  # the other processes may not have failed
        logger.error("trial %d fails: %s", number, error)
        if claim is not None:
            with storage_errors(study.storage):
                claim.fail(str(error) or type(error).__name__)
        return
    if claim is None:
        return
    seconds = round(time.monotonic() - began, 3)
    with storage_errors(study.storage):
        claim.note("seconds", seconds)
        if scores is None:
            claim.prune()
        else:
            claim.complete(scores)
            named = zip(study.space.objectives, scores, strict=True)
            found = ", ".join(f"{name} {value:.4g}" for name, value in named)
            logger.info("trial %d: %s in %.3g s", number, found, seconds)


def _trained(
    study: TuningStudy, number: int, values: Mapping[str, Value], claim: Claim | None, folder: Path
) -> list[float] | None:
    """The mean of each objective over seeds; None when the trial is pruned."""
    config, names = _with_checkpoints(configured(study.config, values)), study.space.objectives
    rows: list[dict[str, float]] = []
    for index, seed in enumerate(study.space.seeds):
        ((member, _),) = members(replace(config, seeds=[seed]), folder)
        run = train_member(member, trial_folder(folder, number) / str(seed))
        rows.append(_agreed(lambda: scores(run, names)))  # noqa: B023  called at once
        if distributed.from_first(lambda: _pruned(study, claim, index, rows[-1])):  # noqa: B023
            logger.info("trial %d is pruned after %d of %d seeds", number, index + 1, len(study.space.seeds))
            return None
    return [math.fsum(row[name] for row in rows) / len(rows) for name in names]


def _shown(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _with_checkpoints(config: RunConfig) -> RunConfig:
    """The configuration with ten checkpoints at least, so that a worker that dies has not worked for nothing."""
    every = min(config.train.checkpoint_every, max(1, config.train.steps // CHECKPOINTS))
    return replace(config, train=replace(config.train, checkpoint_every=every))


def _agreed(make: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What a function returns or raises on the first process, on all."""

    def tried() -> dict[str, float] | Exception:
        try:
            return make()
        except (BadScore, ValueError) as error:
            return error

    outcome = distributed.from_first(tried)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _pruned(study: TuningStudy, claim: Claim | None, index: int, row: Mapping[str, float]) -> bool:
    assert claim is not None
    with storage_errors(study.storage):
        claim.note(f"seed {study.space.seeds[index]}", dict(row))
        if len(row) > 1:
            return False  # Optuna judges a single objective
        return claim.report(index, next(iter(row.values())))
