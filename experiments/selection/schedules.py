"""How long may hypotheses share a network? Selection at equal cost, judged on examples that it never sees.

python experiments/selection/schedules.py --out experiments/selection/schedules.json
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from torch import nn

from learnsym._configs import packed
from learnsym.augment import Hypotheses
from learnsym.data import Batches, Dataset, Splits, load_splits
from learnsym.data.known import task_by_name
from learnsym.objectives import SuccessiveHalving
from learnsym.objectives.choosers import Selection
from learnsym.objectives.choosers.evidence import calibrated
from learnsym.objectives.losses import loss_of
from learnsym.suite import SIZES
from learnsym.suite.twins import config_of
from learnsym.training import RunConfig, fit
from learnsym.training.build import build_on
from learnsym.training.config_file import read_config
from learnsym.training.evaluate import predict

IMAGES, PLAIN = 700, 960
"""Training images of the demonstration, the other 297 judge; plain steps that each training costs."""
SIZE = replace(SIZES["small"], test=400)
TASKS = (
    "bumps: which side, 0 from the middle",
    "cifar10-jpeg rotation 45",
    "digits cyclic with jitter: 0, 90, 180, 270 ± 10",
    "digits translation_x 0.12",
    "fashion-mnist of 2 elements: left-right flip",
    "fashion-mnist rotation 75",
    "fashion-mnist scale 0.1",
    "mnist as they are: left-right flip",
    "mnist as they are: rotation",
    "mnist of 2 elements: quarter turn",
    "mnist shear 0.2",
    "mnist two modes: 0, 180 ± 30",
    "two drawings, the right one turned",
)
"""Tasks of the calibrating half of the suite on which a network errs."""
ANGLES = (0, 60, 180)
WARMUPS = {"shared for 0.45": 0.45}
"""Part of the steps in which hypotheses share a network, by the name of the arm."""
BEFORE = "side by side"
"""The arm of the code before, whose hypotheses were trained side by side; its rows stay what they were."""


def demonstration(angle: int, seed: int) -> tuple[RunConfig, Splits, float]:
    """The digits of `configs/demo.yaml`, of whose training images some judge."""
    config = read_config(packed()["demo"])
    data = replace(config.data, seed=seed, plant=replace(config.data.plant, rotation=float(angle)))
    config = replace(config, twin_steps={}, data=data, seeds=[seed])
    whole = load_splits(config.data)
    held = whole.train.subset(torch.arange(IMAGES, len(whole.train)))
    return config, Splits(train=whole.train.subset(torch.arange(IMAGES)), val=whole.val, test=held), PLAIN


def calibrating(name: str, seed: int) -> tuple[RunConfig, Splits, float]:
    """A task of the calibrating half of the suite, on which settings may be chosen."""
    task = task_by_name(name)
    splits = task.splits(seed, train=SIZE.train, val=SIZE.val, test=SIZE.test)
    return config_of(task, "augerino", "selection", "learned", SIZE, seed), splits, 3.0 * SIZE.steps


def row(config: RunConfig, splits: Splits, plain: float, warmup: float) -> dict[str, Any]:
    """A training that costs so many plain steps."""
    config, steps = replace(config, chooser=Selection(warmup=warmup)), plain
    for _ in range(4):  # looks are a smaller share of more steps
        config = replace(config, train=replace(config.train, steps=int(steps)))
        model, objective, _ = build_on(config, splits)
        assert isinstance(model, Hypotheses) and isinstance(objective, SuccessiveHalving)
        steps = plain / objective.trainings(len(model.names), config.train.batch_size, model.test_copies)
    seed = config.seeds[0]
    batches = Batches(splits.train, config.train.batch_size, seed, torch.device("cpu"))
    fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    return {"steps": config.train.steps, "chosen": model.names[model.chosen], **scores(model, splits.test, config)}


@torch.no_grad()
def scores(model: nn.Module, data: Dataset, config: RunConfig) -> dict[str, float]:
    """Accuracy in percent, and the loss in nats at the best temperature."""
    outputs, loss_fn = predict(model, data.inputs), config.loss.function()
    accuracy = 100 * float((outputs.argmax(1) == data.y).float().mean())
    return {"accuracy": accuracy, "loss": float(loss_of(loss_fn, calibrated(loss_fn, outputs, data.y), data.y))}


def _made(data: str, seed: int) -> tuple[RunConfig, Splits, float]:
    return demonstration(int(data.split()[1]), seed) if data.startswith("demo ") else calibrating(data, seed)


def jobs() -> Iterator[tuple[str, int]]:
    """Data sets with their seeds."""
    yield from ((f"demo {angle}", seed) for angle in ANGLES for seed in (10, 11))
    yield from ((name, seed) for seed in (0, 1) for name in TASKS)


def table(rows: list[dict[str, Any]]) -> str:
    """Accuracy and loss of each arm, and the mean difference from the code before."""
    arms = [BEFORE, *WARMUPS]
    lines = [f"| data | seed | {' | '.join(arms)} |", "|---" * (2 + len(arms)) + "|"]
    by_key = {(r["data"], r["seed"], r["arm"]): r for r in rows}
    for data, seed in dict.fromkeys((r["data"], r["seed"]) for r in rows):
        found = [by_key.get((data, seed, name)) for name in arms]
        cells = [f"{r['accuracy']:.1f} %, {r['loss']:.3f}" if r else "" for r in found]
        lines.append(f"| {data} | {seed} | {' | '.join(cells)} |")
    for name in WARMUPS:
        for label, kind in (("demonstration", True), ("suite", False)):
            asked = [r for r in rows if r["arm"] == name and r["data"].startswith("demo ") == kind]
            both = [(r, by_key.get((r["data"], r["seed"], BEFORE))) for r in asked]
            pairs = [(new, old) for new, old in both if old]
            gains = _mean([new["accuracy"] - old["accuracy"] for new, old in pairs])
            ratios = _mean([math.log(new["loss"] / old["loss"]) for new, old in pairs])
            lines.append(f"{name} less {BEFORE}, {label}: {gains} points, logarithm of the loss {ratios}")
    return "\n".join(lines)


def _mean(values: list[float]) -> str:
    """Mean and standard error."""
    return f"{fmean(values):+.2f} ± {stdev(values) / len(values) ** 0.5:.2f}" if len(values) > 1 else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--arms", nargs="+", choices=list(WARMUPS), default=list(WARMUPS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for data, seed in jobs():
        for name in arguments.arms:
            key = {"data": data, "seed": seed, "arm": name}
            if not any(key.items() <= r.items() for r in rows):
                rows.append({**key, **row(*_made(data, seed), WARMUPS[name])})
                arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
