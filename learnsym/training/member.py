"""The training of one member of a configuration: one twin with one seed, in a run folder."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from learnsym.data import Batches, Splits, say_notes
from learnsym.files import write_atomically
from learnsym.objectives import Objective
from learnsym.training import distributed
from learnsym.training.build import build
from learnsym.training.config import RunConfig
from learnsym.training.evaluate import evaluate, predict, scores
from learnsym.training.folder import check_new
from learnsym.training.kept_data import keep_data
from learnsym.training.loop import fit
from learnsym.training.run import Run
from learnsym.training.sendable import reason

logger = logging.getLogger(__name__)


def train_member(config: RunConfig, path: str | os.PathLike[str]) -> Run:
    """Train one twin with one seed in a run folder, or continue what is there; nothing happens when it is finished."""
    device = distributed.pick_device(config.train.device)
    with distributed.session(device), ExitStack() as stack:
        if config.train.sharded:
            distributed.check_sharded()
        kept = distributed.from_first(lambda: _kept(path, config, device))
        if kept is not None and distributed.from_first(lambda run=kept: _begins_finished(run, stack)):
            return kept
        model, objective, splits = build(config)
        rank, world = distributed.rank(), distributed.world()
        batches = Batches(splits.train, config.train.batch_size, config.seeds[0], device, rank, world)
        run = kept or distributed.from_first(lambda: Run.create(path, config, device))
        if kept is None and distributed.from_first(lambda: _begins_finished(run, stack)):
            return run
        _fit(run, model.to(device), objective, splits, batches)
    return run


def _kept(path: str | os.PathLike[str], config: RunConfig, device: torch.device) -> Run | None:
    """The run that is there; None where a new one can begin, whose folder is made once all input is good."""
    if (Path(path) / "config.yaml").exists():
        return Run.create(path, config, device)
    check_new(path)
    return None


def _begins_finished(run: Run, stack: ExitStack) -> bool:
    """Whether there is nothing to do; if there is, the folder is held until all of it is done."""
    if not run.is_finished:
        stack.enter_context(run.held())
    if run.is_finished:  # perhaps by another process, between the two looks
        logger.info("%s is finished", run.path)
    return run.is_finished


def _fit(run: Run, model: nn.Module, objective: Objective, splits: Splits, batches: Batches) -> None:
    config, rank = run.config, distributed.rank()
    loss_fn = config.loss.function()

    def validate(trained: nn.Module) -> dict[str, float]:
        config.method.before_scores(trained, splits.train)
        return evaluate(trained, splits.val, loss_fn)

    if rank == 0:
        keep_data(run.path, splits.train)
        for note in splits.train.notes:
            _say_once(splits.train.name, note)
    fit(
        model,
        objective,
        batches,
        optimiser=config.optimiser,
        train=config.train,
        seed=config.seeds[0],
        run=run,
        validate=validate,
    )
    if rank == 0:
        with run.writing() as state:
            assert state is not None
            finish(run, model, splits, state)


@cache
def _say_once(name: str, note: str) -> None:
    """Say what was guessed of the examples, but not once more for each cell of a comparison or seed of a run."""
    say_notes(name, [note])


def finish(run: Run, model: nn.Module, splits: Splits, state: dict[str, Any]) -> None:
    """Record the test scores and predictions of a run that is open, and mark it as finished."""
    import safetensors.torch

    outputs = predict(model, splits.test.inputs)
    run.log({"step": state["step"], "split": "test", **scores(outputs, splits.test, run.config.loss.function())})
    if splits.test.y.dim() == 1:
        content = {"outputs": outputs.contiguous(), "targets": splits.test.y.cpu()}
        write_atomically(run.path / "predictions.safetensors", safetensors.torch.save(content))
    run.save({**state, "finished": True})


def note_failure(path: Path, error: Exception) -> Exception:
    """Log why a member failed, and keep it in its folder, unless another process trains there; returns the error."""
    logger.error("%s: %s", path.name, reason(error))
    with suppress(OSError, ValueError):
        run = Run(path)
        with run.held():
            run.note_failure(reason(error))
    return error
