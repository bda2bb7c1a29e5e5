"""A slice of the grid of rigid bodies over network size and length: cells in order of compute, those that are new."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from trial import Row, Trial, mean_score

from learnsym.data import Batches, DataConfig, Splits, load_splits
from learnsym.methods import registry
from learnsym.nets import cost
from learnsym.nets.config import NetConfig
from learnsym.objectives.losses import LossConfig
from learnsym.training import OptimiserConfig, RunConfig, fit
from learnsym.training.build import build_model, build_objective

ARMS = ("plain", "exact", "learned")
WIDTHS, STEPS, SEEDS = (16, 32, 64, 128, 256), (125, 500, 2000, 8000), (0, 1, 2)
"""From 2e9 FLOPs on, four decades."""
BATCH = 64

Cell = tuple[str, int, int, int]


def scaling(trial: Trial, done: Sequence[Row]) -> Iterator[Row]:
    """The next cells of the grid; a later call with the same folder goes on after them."""
    try:
        splits = load_splits(_data(trial))
    except (ValueError, ImportError, OSError) as error:
        yield {"name": "rigid bodies", "not run": " ".join(str(error).split())}
        return
    known = {tuple(row["cell"]) for row in done if "cell" in row}
    costs = {(arm, width): _flops(trial, splits, arm, width) for arm in ARMS for width in WIDTHS}
    cells = [(a, w, s, seed) for a in ARMS for w in WIDTHS for s in STEPS for seed in SEEDS]
    cells.sort(key=lambda cell: costs[cell[:2]] * cell[2])
    for cell in trial.within([cell for cell in cells if cell not in known], str):
        yield _trained(trial, splits, cell, costs[cell[:2]] * BATCH * cell[2])


def _data(trial: Trial) -> DataConfig:
    return DataConfig(
        name="rigid-free-bodies",
        train=trial.scaled(64000, BATCH),
        val=trial.scaled(1000, 16),
        test=trial.scaled(2000, 16),
    )


def _config(trial: Trial, cell: Cell) -> RunConfig:
    """That of `configs/compare/rigid_bodies.yaml`."""
    arm, width, _, seed = cell
    return RunConfig(
        data=_data(trial),
        net=NetConfig(name="transformer", exact="egnn", width=width, depth=4),
        method=registry["fixed_and_absolute"](symmetry="o3"),  # pyright: ignore[reportCallIssue]
        loss=LossConfig(name="mse"),
        optimiser=OptimiserConfig(lr=2e-3, clip=1.0),
        twin=arm,  # pyright: ignore[reportArgumentType]
        seeds=[seed],
    )


def _made(trial: Trial, splits: Splits, cell: Cell) -> tuple[nn.Module, Any, RunConfig]:
    config = _config(trial, cell)
    model = build_model(config, splits.train.signature)
    return model.to(trial.device), build_objective(config, model, splits), config


def _flops(trial: Trial, splits: Splits, arm: str, width: int) -> float:
    """Of a training step, per example."""
    model, *_ = _made(trial, splits, (arm, width, 1, 0))
    return cost.flops(model, splits.train.subset(torch.arange(2)).inputs).training


def _trained(trial: Trial, splits: Splits, cell: Cell, flops: float) -> Row:
    model, objective, config = _made(trial, splits, cell)
    steps = trial.scaled(cell[2])
    loader = Batches(splits.train, BATCH, cell[3], trial.device)
    train = dataclasses.replace(config.train, steps=steps, device=trial.device)
    history = fit(model, objective, loader, optimiser=config.optimiser, train=train, seed=cell[3])
    name = f"{cell[0]}, width {cell[1]}, {steps} steps, seed {cell[3]}"
    found = {"training error": history.losses[-1], "test error": mean_score(model, splits.test, _errors, trial.device)}
    weights = sum(p.numel() for p in model.parameters())
    return {"name": name, "cell": cell, "flops": flops * trial.size, "weights": weights, **found}


def _errors(outputs: Tensor, y: Tensor) -> Tensor:
    """The mean squared error of each example."""
    return (outputs - y).square().flatten(1).mean(1)
