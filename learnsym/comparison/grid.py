"""The cells of a comparison: one training each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from learnsym import data
from learnsym.comparison.config import ComparisonConfig, merged
from learnsym.training import RunConfig
from learnsym.training.build import member
from learnsym.training.config_file import config_hash, config_of

Widths = Mapping[tuple[str, int], int]
"""Width of each arm's network at each model size."""


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


def arm_configs(config: ComparisonConfig) -> dict[str, RunConfig]:
    """The configuration of each arm, before sizes, lengths and seeds.

    Raises:
        ValueError: for an unknown key or value, with the arm's name.
    """
    configs = {}
    for name, differences in config.arms.items():
        values = merged(config.base, differences)
        if not values.get("twin_steps", True):
            del values["twin_steps"]  # as the files of runs have it that were trained without
        for key in ("twins", "twin_steps", "seeds"):
            if key in values:
                raise ValueError(
                    f"arms.{name}.{key}: got {values[key]!r}; a comparison has arms, steps and seeds of its own"
                )
        try:
            configs[name] = config_of(values)
        except ValueError as error:
            raise ValueError(f"arms.{name}: {error}") from error
    return configs


def model_sizes(config: ComparisonConfig, arms: Mapping[str, RunConfig]) -> list[int]:
    """Widths of the reference arm."""
    return config.sizes or [arms[config.reference_arm].net.width]


def cells(config: ComparisonConfig, widths: Widths | None = None) -> list[Cell]:
    """All cells.

    Args:
        config: of the comparison.
        widths: the width of each arm at each size; None to leave the arms' networks as they are.

    Raises:
        ValueError: for bad configurations, or two cells that are the same training.
    """
    arms = arm_configs(config)
    grid = []
    for arm, base in arms.items():
        for size in model_sizes(config, arms):
            net = base.net if widths is None else replace(base.net, width=widths[arm, size])
            grid += [Cell(arm, size, c) for c in _points(config, replace(base, net=net))]
    if widths is not None:
        _check_different(grid)
    return grid


def training_examples(config: RunConfig) -> int:
    """Number of training examples."""
    return data.training_examples(config.data)


def _points(config: ComparisonConfig, base: RunConfig) -> list[RunConfig]:
    """The configurations of one network: sizes of data x lengths x learning rates x seeds."""
    trains = config.train_sizes or [training_examples(base)]
    rates = config.lrs or [base.optimiser.lr]
    return [
        _member(config, base, train, steps, lr, seed)
        for train in trains
        for steps, lr, seed in itertools.product(_lengths(config, base, train), rates, config.seeds)
    ]


def _lengths(config: ComparisonConfig, base: RunConfig, train: int) -> list[int]:
    steps_of_epoch = train / base.train.batch_size
    return [math.ceil(e * steps_of_epoch) for e in config.epochs] or config.steps or [base.train.steps]


def _member(config: ComparisonConfig, base: RunConfig, train: int, steps: int, lr: float, seed: int) -> RunConfig:
    data_seed = base.data.seed + seed if config.redraw else base.data.seed
    return replace(
        member(base, base.twin, seed),
        data=replace(base.data, train=train, seed=data_seed),
        optimiser=replace(base.optimiser, lr=lr),
        train=replace(base.train, steps=steps, eval_every=base.train.eval_every or steps),
    )


def _check_different(grid: Sequence[Cell]) -> None:
    first: dict[str, Cell] = {}
    for cell in grid:
        other = first.setdefault(cell.key, cell)
        if other is not cell:
            raise ValueError(f"arms: [{other}] and [{cell}] are one and the same training; leave one of them out")
