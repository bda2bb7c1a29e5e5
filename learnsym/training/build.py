"""From a configuration to a trained run."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from learnsym import augment, nets, objectives
from learnsym.data import Batches, Splits, load_splits
from learnsym.objectives import Objective
from learnsym.training import distributed
from learnsym.training.checkpoint import write_atomically
from learnsym.training.config import RunConfig
from learnsym.training.evaluate import evaluate, predict, scores
from learnsym.training.loop import fit
from learnsym.training.run import Run

logger = logging.getLogger(__name__)

LossFunction = Callable[[Tensor, Tensor], Tensor]


def build(config: RunConfig) -> tuple[nn.Module, Objective, Splits]:
    """The model with the initial weights of the first seed, the objective and the data of one member.

    Example:
        >>> model, objective, splits = ls.training.build(ls.training.RunConfig())
        >>> sorted(objective(model, (splits.train.x[:4], splits.train.y[:4])).parts)
        ['regulariser', 'task']
    """
    splits = load_splits(config.data)
    return _model(config, splits), objectives.build(config.objective), splits


def build_model(config: RunConfig) -> nn.Module:
    """The model alone, with the initial weights of the first seed."""
    return _model(config, load_splits(config.data))


def train_member(config: RunConfig, path: str | os.PathLike[str]) -> Run:
    """Train one twin with one seed in a run folder, or continue what is there; nothing happens when it is finished."""
    device = distributed.pick_device(config.train.device)
    with distributed.session(device):
        run = distributed.from_first(_open(config, path, device))
        if distributed.from_first(run.is_finished if distributed.rank() == 0 else None):
            logger.info("%s is finished", run.path)
            return run
        model, objective, splits = build(config)
        _fit(run, model.to(device), objective, splits, device)
    return run


def _fit(run: Run, model: nn.Module, objective: Objective, splits: Splits, device: torch.device) -> None:
    config, seed = run.config, run.config.seeds[0]
    loss_fn = _loss_fn(config)
    rank, world = distributed.rank(), distributed.world()
    fit(
        model,
        objective,
        Batches(splits.train, config.train.batch_size, seed, device, rank, world),
        optimiser=config.optimiser,
        train=config.train,
        seed=seed,
        run=run,
        validate=lambda trained: evaluate(trained, splits.val, loss_fn),
    )
    if rank == 0:
        _finish(run, model, splits, loss_fn)


def _finish(run: Run, model: nn.Module, splits: Splits, loss_fn: objectives.LossFunction) -> None:
    """Record the test scores and predictions, and mark the run as finished."""
    state = run.state()
    assert state is not None
    outputs = predict(model, splits.test.inputs)
    with run.writing(state):
        run.log({"step": state["step"], "split": "test", **scores(outputs, splits.test, loss_fn)})
        if splits.test.y.dim() == 1:
            content = {"outputs": outputs.contiguous(), "targets": splits.test.y.cpu()}
            write_atomically(run.path / "predictions.safetensors", safetensors.torch.save(content))
        run.save({**state, "finished": True})


def _loss_fn(config: RunConfig) -> LossFunction:
    """The loss on the targets alone, for evaluation."""
    if config.objective.loss == "segmentation":
        return objectives.Segmentation(config.objective.ignore)
    return objectives.losses[config.objective.loss]


def _model(config: RunConfig, splits: Splits) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seeds[0])
        net = nets.build(config.net, splits.train.in_shape, splits.train.classes)
        return augment.build(net, config.augment)


def _open(config: RunConfig, path: str | os.PathLike[str], device: torch.device) -> Run | None:
    return Run.create(path, config, device) if distributed.rank() == 0 else None


def members(config: RunConfig, out: str | os.PathLike[str]) -> list[tuple[RunConfig, Path]]:
    """The runs that a configuration stands for, twins x seeds: flat in `out` for a single one, else one subfolder each."""
    twins = config.twins or [config.augment.twin]
    found = [
        (replace(config, twins=[twin], seeds=[seed], augment=replace(config.augment, twin=twin)), Path(out) / f"{twin}-{seed}")
        for twin in twins
        for seed in config.seeds
    ]
    return [(found[0][0], Path(out))] if len(found) == 1 else found
