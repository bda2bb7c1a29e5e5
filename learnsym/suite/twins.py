"""Twins: one network trained on a task, with its accuracy, what it learned of the symmetry, and what it cost."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from learnsym import methods
from learnsym.augment import Hypotheses
from learnsym.data import Batches, Splits
from learnsym.data.known import Range, Task, task_by_name
from learnsym.degrees import Degree
from learnsym.learners import degrees
from learnsym.methods import Method, Twin
from learnsym.nets import NetConfig
from learnsym.objectives import LossConfig, SuccessiveHalving
from learnsym.objectives.choosers import Selection, TrainingLoss, registry
from learnsym.suite.config import Size
from learnsym.training import OptimiserConfig, RunConfig, TrainConfig, fit
from learnsym.training.build import build_model, build_objective
from learnsym.training.evaluate import predict, scores

BATCH, WIDTH, RATE = 32, 8, 1e-2
EQUAL = 3.0
"""Plain trainings that every twin costs."""
TOLD: dict[str, Twin] = {"plain": "plain", "oracle": "fixed", "exact": "exact"}
"""The twins that learn nothing."""
GROUPS = {"quarter_turns2d": "C_4", "square2d": "D_4", "flip2d": "D_1"}
"""Groups of layers that hold the symmetry of a task; for rotations each method has one of its own."""
PRESENT = 0.1
"""Share of the range from which a width without an interval counts as a symmetry."""


def twin(task: str, method: str, chooser: str, arm: str, size: Size, seed: int, device: str = "cpu") -> dict[str, Any]:
    """Train one twin on a task.

    All are trained for as many steps as three plain trainings pay for.

    Args:
        task: name of the task.
        method: name of the method.
        chooser: of its learned twin; empty for the others.
        arm: `learned`, `plain`, `oracle` or `exact`.
        size: of the suite.
        seed: of examples, weights and batches.
        device: where it is trained.

    Returns:
        Accuracy, held-out losses, steps, cost in plain trainings, copies, and, of the learned one, what it says.
    """
    known = task_by_name(task)
    splits = known.splits(seed, train=size.train, val=size.val, test=size.test)
    config = config_of(known, method, chooser, arm, size, seed)
    plain = _step_flops(_plain(config), splits)
    steps = size.steps
    for _ in range(3 if isinstance(config.chooser, Selection) else 1):  # looks are a smaller share of more steps
        per_step = _mean_step_flops(replace(config, train=replace(config.train, steps=steps)), splits)
        steps = max(1, round(EQUAL * size.steps * plain / per_step))
    config = replace(config, train=replace(config.train, steps=steps))
    if arm == "learned":  # whose steps need not cost the same
        with FlopCounterMode(display=False) as counter:
            model = trained(config, splits, device)
        flops = float(counter.get_total_flops())
    else:
        model, flops = trained(config, splits, device), per_step * steps
    test, val = (_scores(model, config, splits, split) for split in ("test", "val"))
    learned = answer(known, degrees(model)) if arm == "learned" else {}
    return {
        "accuracy": test["accuracy"],
        "loss": test["task"],
        "val_loss": val["task"],
        "steps": config.train.steps,
        "flops": flops,
        "cost": flops / (plain * size.steps),
        "copies": copies_of(config.method, arm),
        **learned,
    }


def config_of(task: Task, method: str, chooser: str, arm: str, size: Size, seed: int) -> RunConfig:
    """The configuration of a twin, of which its data are those of the task.

    Raises:
        ValueError: when the task has no labels, or method, chooser and task do not fit each other.
    """
    if task.twins is None:
        raise ValueError(f"{task.name} has no labels that a network of {method} could be trained on")
    kind, is_map = methods.registry[method], task.twins.output == "equivariant"
    nets = ("segmentation",) if is_map else ("cnn", *kind.nets)
    name = next((net for net in nets if net in kind.nets), None)
    if name is None:
        raise ValueError(f"{method} has no network for maps of labels")
    loss = LossConfig(name="segmentation") if is_map else LossConfig()
    return RunConfig(
        net=NetConfig(name=name, width=WIDTH),
        loss=loss,
        method=_method(kind, task, arm),
        chooser=registry[chooser]() if chooser else TrainingLoss(),
        twin=TOLD.get(arm, "learned"),
        optimiser=OptimiserConfig(lr=RATE),
        train=TrainConfig(steps=size.steps, batch_size=BATCH, threads=1),
        seeds=[seed],
    )


def _method(kind: type[Method], task: Task, arm: str) -> Method:
    """A method with the symmetry of the task, as far as it can be told which."""
    twins = task.twins
    assert twins is not None  # or there is no network
    if TOLD.get(arm, "learned") not in kind.twins:
        raise ValueError(f"{kind.name} has no twin that is {TOLD.get(arm, arm)}")
    if arm == "exact" and not twins.exact:
        raise ValueError(f"{twins.symmetry} is no compact group, so that there is no exact twin")
    if arm == "oracle" and not twins.oracle and twins.exact not in ("", "rotation2d"):
        raise ValueError(f"{twins.exact} has no ranges that a twin could be told")
    own = {field.name for field in fields(kind)}
    wanted: dict[str, Any] = {"exact": twins.exact, "output": twins.output, "symmetries": [twins.symmetry]}
    wanted |= _group(kind, twins.symmetry) if "group" in own else {"symmetry": twins.symmetry}
    wanted |= {"fixed": twins.oracle} if arm == "oracle" else {}  # others must not know the truth
    return kind(**{key: value for key, value in wanted.items() if key in own and value})


def _group(kind: type[Method], symmetry: str) -> dict[str, str]:
    """The group of a method whose layers have one, for the symmetry of a task.

    Raises:
        ValueError: when no group of the plane holds it.
    """
    if symmetry == "rotation2d":
        return {}
    if symmetry not in GROUPS:
        raise ValueError(f"{kind.name} has layers of a group of the plane, and none has {symmetry}")
    return {"group": GROUPS[symmetry]}


def copies_of(method: Method, arm: str) -> list[int]:
    """Copies of each example in training and in evaluation."""
    if arm == "plain":
        return [1, 1]
    if arm == "exact":
        return [getattr(method, "orbit", 1)] * 2
    return [getattr(method, "copies", 1), getattr(method, "test_copies", 1)]


def answer(task: Task, found: list[Degree]) -> dict[str, Any]:
    """What a learned twin says about the truth, where that is a range that labels tolerate."""
    truth = task.truth
    own = [d for d in found if isinstance(truth, Range) and d.generator == truth.generator]
    if not isinstance(truth, Range) or truth.notion != "task" or not own:
        return {}
    degree = max(own, key=lambda each: each.estimate)
    estimate = min(degree.estimate, truth.cap)
    return {
        "estimate": estimate,
        "low": degree.low,
        "high": degree.high,
        "score": estimate / truth.cap,
        "says": estimate > PRESENT * truth.cap if degree.low is None else degree.low > 0,
    }


def _plain(config: RunConfig) -> RunConfig:
    return replace(config, twin="plain", chooser=TrainingLoss())


def _mean_step_flops(config: RunConfig, splits: Splits) -> float:
    """Counted FLOPs of a step, the mean over those of a selection."""
    model = build_model(config, splits.train.signature)
    objective = build_objective(config, model, splits)
    if isinstance(objective, SuccessiveHalving) and isinstance(model, Hypotheses):
        copies = copies_of(config.method, "learned")[0]
        trainings = objective.trainings(len(model.names), config.train.batch_size, model.test_copies)
        return copies * trainings * _step_flops(_plain(config), splits)
    return _step_flops(config, splits, steps=getattr(config.chooser, "every", 1))


def _step_flops(config: RunConfig, splits: Splits, steps: int = 1) -> float:
    """Counted FLOPs of a step, the mean over the first ones, of matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        trained(replace(config, train=replace(config.train, steps=steps)), splits, "cpu")
    return float(counter.get_total_flops()) / steps


def trained(config: RunConfig, splits: Splits, device: str) -> nn.Module:
    """A network, trained as it is configured on the examples of a task."""
    model = build_model(config, splits.train.signature)
    objective = build_objective(config, model, splits)
    batches = Batches(splits.train, config.train.batch_size, config.seeds[0], device)
    fit(model.to(device), objective, batches, optimiser=config.optimiser, train=config.train, seed=config.seeds[0])
    return model


@torch.no_grad()
def _scores(model: nn.Module, config: RunConfig, splits: Splits, split: str) -> dict[str, float]:
    data = getattr(splits, split)
    found = scores(predict(model, data.inputs), data, config.loss.function())
    return {name: value if math.isfinite(value) else math.nan for name, value in found.items()}
