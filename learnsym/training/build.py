"""From a configuration to a model, an objective and data."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from learnsym.data import Signature, Splits, load_splits
from learnsym.methods import Setup, Twin, learns
from learnsym.nets.matching import parameter_count
from learnsym.nets.sources import check_outputs
from learnsym.objectives import Objective
from learnsym.objectives.choosers import TrainingLoss
from learnsym.training.config import RunConfig
from learnsym.training.parameters import check_width


def build(config: RunConfig) -> tuple[nn.Module, Objective, Splits]:
    """The model with the initial weights of the first seed, the objective and the data of one member.

    Example:
        >>> config = ls.training.RunConfig(chooser=ls.objectives.choosers.TrainingLoss())
        >>> model, objective, splits = ls.training.build(config)
        >>> sorted(objective(model, (splits.train.x[:4], splits.train.y[:4])).parts)
        ['regulariser', 'task']
    """
    return build_on(config, load_splits(config.data))


def build_on(config: RunConfig, splits: Splits) -> tuple[nn.Module, Objective, Splits]:
    """The same as `build`, on data that are loaded already.

    Args:
        config: of one member.
        splits: what `load_splits(config.data)` gives.
    """
    if not splits.train.has_targets:
        raise ValueError(f"data.y: {splits.train.name} has no targets to train on; name them, or add them to the file")
    model = build_model(config, splits.train.signature)
    if splits.train.moves:
        check_outputs(model, config.net.name, splits.train.subset(torch.arange(2)).inputs, splits.train.classes)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(f"net.name: {config.net.name} has no parameters that can be trained; give one that has")
    return model, build_objective(config, model, splits), splits


def build_model(config: RunConfig, signature: Signature) -> nn.Module:
    """The model alone, with the initial weights of the first seed.

    Args:
        config: of one member.
        signature: of the data.

    Raises:
        ValueError: when network and data do not fit each other, or the network does not fit into memory.
    """
    if config.net.source is None:  # other networks may not have the widths that are tried
        check_width(config.net.width, lambda width: parameter_count(_model(config, signature, width)))
    return _model(config, signature, config.net.width)


def _model(config: RunConfig, signature: Signature, width: int) -> nn.Module:
    config = replace(config, net=replace(config.net, width=width))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seeds[0])
        return config.method.model(setup_of(config, signature))


def build_objective(config: RunConfig, model: nn.Module, splits: Splits) -> Objective:
    """What the training of one member minimises; heads that it holds have the initial weights of the first seed."""
    judges = config.chooser.judges(splits.train, splits.val)
    setup = replace(
        setup_of(config, splits.train.signature),
        examples=len(splits.train),
        held_out=(judges.inputs, judges.y),
        steps=config.train.steps,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seeds[0])
        return config.method.objective(setup, model)


def setup_of(config: RunConfig, signature: Signature) -> Setup:
    """What the method of a configuration is applied to, without examples."""
    return Setup(net=config.net, data=signature, loss=config.loss, twin=config.twin, chooser=config.chooser)


def members(config: RunConfig, out: str | os.PathLike[str]) -> list[tuple[RunConfig, Path]]:
    """The runs that a configuration stands for: twins x seeds, each in a subfolder; a single one flat in `out`."""
    twins: list[Twin] = config.twins or [config.twin]
    pairs: list[tuple[Twin, int]] = [(twin, seed) for twin in twins for seed in config.seeds]
    folders = [Path(out)] if len(pairs) == 1 else [Path(out) / f"{twin}-{seed}" for twin, seed in pairs]
    return [(member(config, *pair), folder) for pair, folder in zip(pairs, folders, strict=True)]


def member(config: RunConfig, twin: Twin, seed: int) -> RunConfig:
    """The configuration of one twin with one seed; a twin that learns no symmetry has no chooser."""
    chooser = config.chooser if learns(twin) else TrainingLoss()
    train = replace(config.train, steps=config.twin_steps.get(twin, config.train.steps))
    return replace(config, twins=[twin], twin=twin, twin_steps={}, seeds=[seed], chooser=chooser, train=train)
