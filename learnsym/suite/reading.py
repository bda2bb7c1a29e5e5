"""Readers: what is said about the symmetry of the examples of a task, as plain values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learnsym import measure
from learnsym.actions import PointCloud, PointVectors
from learnsym.data import Splits
from learnsym.data.known import Axis, Closed, Range, Task, task_by_name
from learnsym.measure.pose.closure import LEVEL as REFUSED
from learnsym.nets import MLP
from learnsym.report.run.pieces import losses
from learnsym.suite.config import Size
from learnsym.suite.twins import config_of, trained
from learnsym.training.evaluate import predict

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Nominal levels at which intervals are taken for the figure of calibration."""
HIDDEN = 128
SHARES = (0.0, 1 / 12, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 3 / 4, 1.0)
"""Widths of augmentation that are tried, in shares of the largest one."""
REPLICATES, LONGER = 2, 2
"""Trainings at each width, and how many times the steps of a plain training each has."""


def poses(task: str, size: Size, seed: int, level: float) -> dict[str, Any]:
    """The range of a generator, by the law of poses."""
    truth = task_by_name(task).truth
    assert isinstance(truth, Range)
    law = measure.pose_posterior(
        examples_of(task, size, seed), truth.symmetry, truth.generator, steps=size.reading, moves=truth.moves,
        level=level, seed=seed,
    )  # fmt: skip
    laws = {str(nominal): replace(law, level=nominal) for nominal in LEVELS}
    return {
        "estimate": law.half_width,
        "low": law.low,
        "high": law.high,
        "form": "several modes" if law.order > 1 else law.form,
        "levels": {nominal: [each.low, each.high] for nominal, each in laws.items()},
        "status": law.status,
        "reason": law.reason,
        "score": law.half_width / truth.cap,
        "says": law.low > 0,
    }


def closure(task: str, size: Size, seed: int, level: float) -> dict[str, Any]:
    """Whether the law of the examples is closed under an element; its test has a level of its own."""
    truth = task_by_name(task).truth
    assert isinstance(truth, Closed)
    found = measure.closure_test(
        examples_of(task, size, seed), truth.symmetry, truth.element(), steps=size.reading, seed=seed
    )
    return {"score": found.p_value, "says": found.p_value > REFUSED, "degree": found.degree}


def axis(task: str, size: Size, seed: int, level: float) -> dict[str, Any]:
    """About which axis targets turn along, by a perceptron that is trained on them."""
    data = task_by_name(task).splits(seed, train=size.examples, val=1, test=min(size.test, 128))
    truth = task_by_name(task).truth
    assert isinstance(truth, Axis)
    models = [_perceptron(data.train.inputs, data.train.y, 5 * size.reading, each) for each in (2 * seed, 2 * seed + 1)]
    moves = PointCloud(), PointVectors()
    floor = measure.own_floor(models, data.test.inputs, data.test.y, *moves)
    found = measure.residual_axis(
        models[0], data.test.inputs, *moves, floor=floor, bootstrap=200, level=level, seed=seed
    )
    off = None if truth.direction is None else found.angle_to(truth.direction)
    return {
        "says": found.verdict in ("all rotations", "one axis"),
        "score": -found.errors[0],
        "verdict": found.verdict,
        "off": off,
        "covers": None if off is None else off <= found.radius,
    }


def extent(task: str, size: Size, seed: int, level: float) -> dict[str, Any]:
    """Up to which width augmentation does no harm, by networks that are trained with copies of given widths."""
    known = task_by_name(task)
    truth = known.truth
    assert isinstance(truth, Range)
    splits = known.splits(seed, train=size.train, val=size.val, test=1)
    widths = [share * truth.cap for share in SHARES]
    tables = [[_held_out(known, splits, size, width, 2 * seed + r) for r in range(REPLICATES)] for width in widths]
    losses_of_widths = torch.stack([torch.stack(row) for row in tables])
    found = measure.task_extent(losses_of_widths, widths).harmless(level=level)
    low, high = found.ends
    return {
        "estimate": found.estimate,
        "low": low,
        "high": high,
        "score": found.estimate / truth.cap,
        "says": low > 0,
        "cost": float(LONGER * REPLICATES * len(SHARES)),
    }


READ = {"poses": poses, "closure": closure, "axis": axis, "extent": extent}
KINDS = {"poses": Range, "closure": Closed, "axis": Axis, "extent": Range}
NOTIONS = {"poses": "distribution", "extent": "task"}


def unfit(reader: str, task: str) -> str:
    """Why a reader has no answer for a task; empty when it has one."""
    known = task_by_name(task)
    truth = known.truth
    if not isinstance(truth, KINDS[reader]):
        return f"{reader} has no answer about {truth.ask}"
    if isinstance(truth, Range) and truth.notion != NOTIONS[reader]:
        return f"{reader} answers about a {NOTIONS[reader]} extent, the task is about {truth.ask}"
    if reader == "extent" and known.twins is not None and known.twins.output == "equivariant":
        return "extent would take the interpolation of targets that move for harm"
    return ""


def _held_out(task: Task, splits: Splits, size: Size, width: float, seed: int) -> Tensor:
    """The loss of each validation example after training with copies of one width."""
    truth = task.truth
    assert isinstance(truth, Range)
    config = config_of(task, "augerino", "", "oracle", size, seed)
    method = replace(config.method, fixed={truth.generator: width})
    config = replace(config, method=method, train=replace(config.train, steps=LONGER * size.steps))
    return losses(predict(trained(config, splits, "cpu"), splits.val.inputs), splits.val).double()


def examples_of(task: str, size: Size, seed: int) -> Tensor:
    """The examples that readers see, of as many as the size has."""
    x = task_by_name(task).splits(seed, train=size.examples, val=1, test=1).train.inputs
    assert isinstance(x, Tensor)
    return x


def _perceptron(x: Any, y: Tensor, steps: int, seed: int) -> nn.Module:  # noqa: ANN401  inputs of a dataset
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        numbers = x[0].numel()
        model = nn.Sequential(nn.Flatten(), MLP(numbers, numbers, width=HIDDEN), nn.Unflatten(1, tuple(x.shape[1:])))
        optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
        for _ in range(steps):
            rows = torch.randint(len(x), (128,))
            optimiser.zero_grad(set_to_none=True)
            F.mse_loss(model(x[rows]), y[rows]).backward()
            optimiser.step()
            schedule.step()
    return model.eval()
