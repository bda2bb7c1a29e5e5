"""How short may the choice be? Selection with four schedules at equal cost, judged on examples that it never sees.

python experiments/selection/schedules.py --out experiments/selection/schedules.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch

from learnsym._configs import packed
from learnsym.augment import Hypotheses
from learnsym.data import Batches, Splits, load_splits
from learnsym.data.known import task_by_name
from learnsym.objectives import SuccessiveHalving
from learnsym.objectives.choosers import halving, selection
from learnsym.suite import SIZES
from learnsym.suite.twins import config_of
from learnsym.training import RunConfig, fit
from learnsym.training.build import build_on
from learnsym.training.config_file import read_config
from learnsym.training.evaluate import evaluate

IMAGES, PLAIN = 700, 960
"""Training images of the demonstration, the other 297 judge; plain steps that each training costs."""
SIZE = SIZES["small"]
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


@dataclass(frozen=True)
class Schedule:
    """Plain trainings in which hypotheses are side by side, the most that a look costs, and the part before these."""

    shares: tuple[float, float, float]
    look: float
    warmup: float = 0.3


SCHEDULES = {
    "as before": Schedule((0.2, 0.12, 0.12), 0.08),
    "halved": Schedule((0.1, 0.06, 0.06), 0.04),
    "quartered": Schedule((0.05, 0.03, 0.03), 0.03),
    "halved, warm-up 0.1": Schedule((0.1, 0.06, 0.06), 0.04, warmup=0.1),
}


@contextmanager
def following(schedule: Schedule) -> Iterator[None]:
    """Selection with this schedule, without a ceiling in steps."""
    own = halving.SHARES, halving.PASSES, selection.AT_RUNG, selection.AT_END
    halving.SHARES, halving.PASSES = schedule.shares, (10**9,) * 3
    selection.AT_RUNG = selection.AT_END = schedule.look
    try:
        yield
    finally:
        halving.SHARES, halving.PASSES, selection.AT_RUNG, selection.AT_END = own


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
    config, steps = replace(config, chooser=selection.Selection(warmup=warmup)), plain
    for _ in range(4):  # looks are a smaller share of more steps
        config = replace(config, train=replace(config.train, steps=int(steps)))
        model, objective, _ = build_on(config, splits)
        assert isinstance(model, Hypotheses) and isinstance(objective, SuccessiveHalving)
        steps = plain / objective.trainings(len(model.members), config.train.batch_size, model.test_copies)
    seed = config.seeds[0]
    batches = Batches(splits.train, config.train.batch_size, seed, torch.device("cpu"))
    fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    scores = evaluate(model, splits.test, config.loss.function())
    found = {"accuracy": 100 * scores["accuracy"], "loss": scores["task"]}
    return {"steps": config.train.steps, "chosen": model.names[model.chosen], **found}


def _made(data: str, seed: int) -> tuple[RunConfig, Splits, float]:
    return demonstration(int(data.split()[1]), seed) if data.startswith("demo ") else calibrating(data, seed)


def jobs() -> Iterator[tuple[str, int]]:
    """Data sets with their seeds."""
    yield from ((f"demo {angle}", seed) for angle in ANGLES for seed in (10, 11))
    yield from ((name, 0) for name in TASKS)


def table(rows: list[dict[str, Any]]) -> str:
    """Accuracy and loss of each schedule, and the mean difference from the first one on the tasks of the suite."""
    lines = [f"| data | seed | {' | '.join(SCHEDULES)} |", "|---" * (2 + len(SCHEDULES)) + "|"]
    by_key = {(r["data"], r["seed"], r["schedule"]): r for r in rows}
    for data, seed in dict.fromkeys((r["data"], r["seed"]) for r in rows):
        found = [by_key[data, seed, name] for name in SCHEDULES if (data, seed, name) in by_key]
        cells = [f"{r['accuracy']:.1f} %, {r['loss']:.3f}" for r in found]
        lines.append(f"| {data} | {seed} | {' | '.join(cells)} |")
    first = next(iter(SCHEDULES))
    for name in [name for name in SCHEDULES if name != first]:
        for label, kind in (("demonstration", True), ("suite", False)):
            gains = [
                r["accuracy"] - by_key[r["data"], r["seed"], first]["accuracy"]
                for r in rows
                if r["schedule"] == name and r["data"].startswith("demo ") == kind
            ]
            lines.append(f"{name} less {first}, {label}: {_mean(gains)} points")
    return "\n".join(lines)


def _mean(values: list[float]) -> str:
    """Mean and standard error."""
    return f"{fmean(values):+.2f} ± {stdev(values) / len(values) ** 0.5:.2f}" if len(values) > 1 else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--schedules", nargs="+", choices=list(SCHEDULES), default=list(SCHEDULES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for data, seed in jobs():
        for name in arguments.schedules:
            key = {"data": data, "seed": seed, "schedule": name}
            if any(key.items() <= r.items() for r in rows):
                continue
            with following(SCHEDULES[name]):
                rows.append({**key, **row(*_made(data, seed), SCHEDULES[name].warmup)})
            arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
