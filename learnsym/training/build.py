"""From a configuration to a trained run."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from learnsym import augment, nets, objectives
from learnsym.data import Batches, Signature, Splits, load_splits
from learnsym.files import write_atomically
from learnsym.objectives import Objective
from learnsym.training import distributed
from learnsym.training.config import RunConfig, Twin
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
    model = build_model(config, splits.train.signature)
    return model, build_objective(config, model, splits), splits


def build_objective(config: RunConfig, model: nn.Module, splits: Splits) -> Objective:
    """What the training of one member minimises."""
    signature = splits.train.signature
    held_out = splits.val.inputs, splits.val.y
    if config.augment.twin == "fixed" and signature.on_input is not None:
        symmetry = signature.symmetry(config.augment.symmetry)
        return objectives.MovedExamples(task_loss(config), symmetry, config.augment.copies)
    if config.is_relaxed:
        return objectives.build_relaxed(config.objective, config.relax, len(splits.train))
    if config.is_penalised and config.augment.twin == "learned":
        return penalised_objective(config, model, signature, held_out)
    if signature.on_input is not None:
        return objectives.Supervised(task_loss(config))
    return objectives.build(config.objective, held_out)


def penalised_objective(
    config: RunConfig, model: nn.Module, signature: Signature, held_out: objectives.Batch | None = None
) -> objectives.Remul:
    """The objective with penalties on imperfect symmetry of a configuration that has them."""
    symmetries = {name: signature.symmetry(name) for name in config.penalty.symmetries}
    return objectives.build_remul(config.penalty, task_loss(config), symmetries, model, held_out)


def build_model(config: RunConfig, signature: Signature) -> nn.Module:
    """The model alone, with the initial weights of the first seed.

    Args:
        config: of one member.
        signature: of the data.

    Raises:
        ValueError: when network and data do not fit each other.
    """
    in_shape, classes, twin = signature.in_shape, signature.classes, config.augment.twin
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seeds[0])
        if signature.on_input is not None and signature.on_output is not None:
            return nets.build_points(config.net, twin, signature.on_input, signature.on_output, config.relax)
        if config.is_relaxed and not config.is_of_points:
            return nets.build_steerable(config.net, config.relax, twin, in_shape, classes)
        net = nets.build(config.net, in_shape, classes)
        # the degree lives in the loss, not in a distribution
        alone = config.is_penalised and twin == "learned"
        return augment.build(net, replace(config.augment, twin="plain") if alone else config.augment)


def train_member(config: RunConfig, path: str | os.PathLike[str]) -> Run:
    """Train one twin with one seed in a run folder, or continue what is there; nothing happens when it is finished."""
    device = distributed.pick_device(config.train.device)
    with distributed.session(device):
        run = distributed.from_first(lambda: Run.create(path, config, device))
        if distributed.from_first(lambda: run.is_finished):
            logger.info("%s is finished", run.path)
            return run
        model, objective, splits = build(config)
        _fit(run, model.to(device), objective, splits, device)
    return run


def _fit(run: Run, model: nn.Module, objective: Objective, splits: Splits, device: torch.device) -> None:
    config, seed = run.config, run.config.seeds[0]
    loss_fn = task_loss(config)
    rank, world = distributed.rank(), distributed.world()
    if rank == 0:
        run.keep_signature(splits.train.signature)
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
        state = run.state()
        assert state is not None
        with run.writing(state):
            finish(run, model, splits, state)


def finish(run: Run, model: nn.Module, splits: Splits, state: dict[str, Any]) -> None:
    """Record the test scores and predictions of a run that is open, and mark it as finished."""
    outputs = predict(model, splits.test.inputs)
    run.log({"step": state["step"], "split": "test", **scores(outputs, splits.test, task_loss(run.config))})
    if splits.test.y.dim() == 1:
        content = {"outputs": outputs.contiguous(), "targets": splits.test.y.cpu()}
        write_atomically(run.path / "predictions.safetensors", safetensors.torch.save(content))
    run.save({**state, "finished": True})


def task_loss(config: RunConfig) -> LossFunction:
    """The loss on the targets alone, for evaluation."""
    if config.objective.loss == "segmentation":
        return objectives.Segmentation(config.objective.ignore)
    return objectives.losses[config.objective.loss]


def members(config: RunConfig, out: str | os.PathLike[str]) -> list[tuple[RunConfig, Path]]:
    """The runs that a configuration stands for: twins x seeds, each in a subfolder; a single one flat in `out`."""
    twins: list[Twin] = config.twins or [config.augment.twin]
    pairs: list[tuple[Twin, int]] = [(twin, seed) for twin in twins for seed in config.seeds]
    folders = [Path(out)] if len(pairs) == 1 else [Path(out) / f"{twin}-{seed}" for twin, seed in pairs]
    return [(_member(config, *pair), folder) for pair, folder in zip(pairs, folders, strict=True)]


def _member(config: RunConfig, twin: Twin, seed: int) -> RunConfig:
    return replace(config, twins=[twin], seeds=[seed], augment=replace(config.augment, twin=twin))
