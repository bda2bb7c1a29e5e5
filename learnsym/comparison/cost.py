"""What a comparison will cost, before it starts."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from learnsym.augment import Hypotheses
from learnsym.comparison.grid import Cell
from learnsym.comparison.networks import Network
from learnsym.comparison.plan import Plan
from learnsym.comparison.rows import ended_cells
from learnsym.data import Batches, Splits
from learnsym.data.splits import load_each
from learnsym.objectives import Objective, SuccessiveHalving
from learnsym.training import RunConfig
from learnsym.training.build import build_on
from learnsym.training.config import OptimiserConfig
from learnsym.training.distributed import pick_device

STEPS = 3
"""Steps that are timed, after one that is not."""

Key = tuple[str, int]
"""Arm and model size."""


@dataclass(frozen=True, kw_only=True)
class ArmCost:
    """What the cells of one arm cost at one model size."""

    arm: str
    size: int
    width: int
    parameters: int
    flops: float
    """Counted FLOPs of training on one example."""
    cells: int
    """All cells."""
    left: int
    """Cells that have not ended."""
    compute: float
    """Counted FLOPs of the cells that have not ended."""
    seconds: float
    """Expected time of these in one process, without evaluation; NaN when no step was timed."""


def costs(plan: Plan, folder: Path, seconds: Mapping[Key, float] | None = None) -> list[ArmCost]:
    """The cost of each arm at each model size.

    Args:
        plan: of the comparison.
        folder: where cells may have ended already.
        seconds: time of a step, by arm and size, see `seconds_per_step`.
    """
    timed, ended = seconds or {}, ended_cells(folder)
    return [
        _cost(plan, plan.network(cells[0]), cells, ended, timed.get(key, math.nan))
        for key, cells in _by_network(plan).items()
    ]


def seconds_per_step(plan: Plan) -> dict[Key, float]:
    """Measured time of an optimiser step of each network on this machine, the median of a few."""
    first = {key: cells[0].config for key, cells in _by_network(plan).items()}
    splits = load_each([config.data for config in first.values()])
    return {key: _timed(config, own) for (key, config), own in zip(first.items(), splits, strict=True)}


def _by_network(plan: Plan) -> dict[Key, list[Cell]]:
    """The cells of each network, in the order of the plan's networks."""
    cells: dict[Key, list[Cell]] = {(network.arm, network.size): [] for network in plan.networks}
    for cell in plan.cells:
        cells[cell.arm, cell.size].append(cell)
    return cells


def _cost(plan: Plan, network: Network, own: Sequence[Cell], ended: Set[str], seconds: float) -> ArmCost:
    left = [cell for cell in own if cell.key not in ended]
    return ArmCost(
        arm=network.arm,
        size=network.size,
        width=network.width,
        parameters=network.parameters,
        flops=network.flops_counted,
        cells=len(own),
        left=len(left),
        compute=sum(map(plan.compute, left), 0.0),
        seconds=seconds * sum(cell.config.train.steps for cell in left),
    )


def _networks(model: nn.Module, objective: Objective, batch: int) -> float:
    """How many networks a step trains on average; the first steps are those of one."""
    if isinstance(objective, SuccessiveHalving) and isinstance(model, Hypotheses):
        return objective.trainings(len(model.names), batch, model.test_copies)
    return 1.0


def _update(config: OptimiserConfig, weights: Sequence[Tensor]) -> Callable[[], None]:
    """An update by the function of torch's optimiser; the optimiser itself would import the compiler, for seconds."""
    means, squares = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
    counts = [torch.zeros(()) for _ in weights]

    def update() -> None:
        rows = [row for row in zip(weights, means, squares, counts, strict=True) if row[0].grad is not None]
        own, first, second, steps = ([row[i] for row in rows] for i in range(4))
        gradients = [weight.grad for weight in own if weight.grad is not None]
        common = {"lr": config.lr, "weight_decay": config.weight_decay, "maximize": False}
        with torch.no_grad():
            if config.name == "sgd":
                momentum = {"momentum": config.momentum, "dampening": 0.0, "nesterov": False}
                return sgd(own, gradients, list(first), **momentum, **common)
            betas = {"beta1": config.momentum, "beta2": 0.999, "eps": 1e-8, "amsgrad": False}
            return adamw(own, gradients, first, second, [], steps, **betas, **common)

    return update


def _timed(config: RunConfig, splits: Splits) -> float:
    device = pick_device(config.train.device)
    model, objective, _ = build_on(config, splits)
    model.to(device)
    batches = Batches(splits.train, config.train.batch_size, 0, device)
    update = _update(config.optimiser, [weight for weight in model.parameters() if weight.requires_grad])
    times = []
    for step in range(1 + STEPS):
        started = time.perf_counter()
        model.zero_grad(set_to_none=True)
        objective(model, batches[step]).total.backward()
        update()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:]) * _networks(model, objective, config.train.batch_size)
