"""The cells of a comparison: one training each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from learnsym import data
from learnsym.comparison.config import ComparisonConfig
from learnsym.training import RunConfig
from learnsym.training.build import member
from learnsym.training.config import TrainConfig
from learnsym.training.config_file import config_hash

Widths = Mapping[tuple[str, int], int]
"""Width of each arm's network at each model size."""
Sections = dict[str, Any]
"""Sections of a configuration by their names."""


@dataclass(frozen=True)
class Cell:
    """One training: a point of the grid, an arm, a learning rate and a seed."""

    arm: str
    size: int
    config: RunConfig

    @cached_property
    def key(self) -> str:
        """Hash of the configuration; the name of the run folder."""
        return config_hash(self.config)

    @property
    def train(self) -> int:
        """Number of training examples."""
        return training_examples(self.config)

    @property
    def samples(self) -> int:
        """Examples seen in training, repetitions included."""
        return self.config.train.steps * self.config.train.batch_size

    def __str__(self) -> str:
        c = self.config
        return (
            f"{self.arm}, {self.train} examples, size {self.size}, {c.train.steps} steps, lr {c.optimiser.lr:g}, "
            f"seed {c.seeds[0]}"
        )


def model_sizes(config: ComparisonConfig) -> list[int]:
    """Widths of the reference arm."""
    return config.sizes or [config.arm_configs[config.reference_arm].net.width]


def cells(config: ComparisonConfig, widths: Widths | None = None) -> list[Cell]:
    """All cells.

    Args:
        config: of the comparison.
        widths: the width of each arm at each size; None to leave the arms' networks as they are.

    Raises:
        ValueError: for bad configurations, or two cells that are the same training.
    """
    grid = []
    for arm, base in config.arm_configs.items():
        points = _points(config, base)
        for size in model_sizes(config):
            net = base.net if widths is None else replace(base.net, width=widths[arm, size])
            members = {seed: replace(member(base, base.twin, seed), net=net) for seed in config.seeds}
            grid += [Cell(arm, size, replace(members[seed], **sections)) for seed, sections in points]
    if widths is not None:
        _check_different(grid)
    return grid


def check_axes(config: ComparisonConfig) -> None:
    """Check all arms and the values of all axes, without the cells that they make.

    Raises:
        ValueError: for an unknown key, or a value that it cannot have.
    """
    for base in config.arm_configs.values():
        _points(config, base)


def training_examples(config: RunConfig) -> int:
    """Number of training examples."""
    return data.training_examples(config.data)


def _points(config: ComparisonConfig, base: RunConfig) -> list[tuple[int, Sections]]:
    """The points of each network: sizes of data x lengths x learning rates x seeds, which share equal sections."""
    trains = config.train_sizes or [training_examples(base)]
    optimisers = [replace(base.optimiser, lr=lr) for lr in config.lrs or [base.optimiser.lr]]
    points: list[tuple[int, Sections]] = []
    for n in trains:
        data = {seed: replace(base.data, train=n, seed=_data_seed(config, base, seed)) for seed in config.seeds}
        lengths = [_length(base, steps) for steps in _lengths(config, base, n)]
        points += [
            (seed, {"data": data[seed], "optimiser": optimiser, "train": length})
            for length, optimiser, seed in itertools.product(lengths, optimisers, config.seeds)
        ]
    return points


def _data_seed(config: ComparisonConfig, base: RunConfig, seed: int) -> int:
    return base.data.seed + seed if config.redraw else base.data.seed


def _lengths(config: ComparisonConfig, base: RunConfig, train: int) -> list[int]:
    steps_of_epoch = train / base.train.batch_size
    return [math.ceil(e * steps_of_epoch) for e in config.epochs] or config.steps or [base.train.steps]


def _length(base: RunConfig, steps: int) -> TrainConfig:
    return replace(base.train, steps=steps, eval_every=base.train.eval_every or steps)


def _check_different(grid: Sequence[Cell]) -> None:
    first: dict[str, Cell] = {}
    for cell in grid:
        other = first.setdefault(cell.key, cell)
        if other is not cell:
            raise ValueError(f"arms: [{other}] and [{cell}] are one and the same training; leave one of them out")
