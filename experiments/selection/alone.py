"""Steps or choice? Selection beside each of its laws trained alone at the same cost, on tasks of the calibrating half.

python experiments/selection/alone.py --out experiments/selection/alone.json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from learnsym.augment import Hypotheses
from learnsym.data import Batches, Dataset, Splits
from learnsym.data.known import task_by_name
from learnsym.objectives import SuccessiveHalving
from learnsym.objectives.choosers.evidence import calibrated
from learnsym.objectives.losses import LossFunction, loss_of
from learnsym.suite import SIZES
from learnsym.suite.twins import config_of
from learnsym.training import fit
from learnsym.training.build import build_on
from learnsym.training.evaluate import predict

SIZE = SIZES["small"]
LENGTHS = {"selection": 532, "alone": 3 * SIZE.steps}
"""Steps: one of selection costs 1.13 plain ones."""
TASKS = (
    "fashion-mnist rotation 75",
    "mnist two modes: 0, 180 ± 30",
    "cifar10-jpeg rotation 45",
    "digits cyclic with jitter: 0, 90, 180, 270 ± 10",
    "mnist as they are: rotation",
    "fashion-mnist scale 0.1",
    "digits translation_x 0.12",
)
"""Tasks of the calibrating half that plain networks do not solve, and whose laws have one number."""


def rows(name: str, seed: int) -> list[dict[str, Any]]:
    """Selection and each of its laws alone: accuracy on test images, loss on validation images."""
    splits = task_by_name(name).splits(seed, train=SIZE.train, val=SIZE.val, test=SIZE.test)
    first, laws = row(name, seed, splits, "selection")
    return [first, *(row(name, seed, splits, "alone", law)[0] for law in range(laws))]


def row(name: str, seed: int, splits: Splits, arm: str, law: int = 0) -> tuple[dict[str, Any], int]:
    """One training, and how many laws there are."""
    config = config_of(task_by_name(name), "augerino", "selection", "learned", SIZE, seed)
    config = replace(config, train=replace(config.train, steps=LENGTHS[arm]))
    model, objective, _ = build_on(config, splits)
    assert isinstance(model, Hypotheses) and isinstance(objective, SuccessiveHalving)
    net, loss = (model, objective) if arm == "selection" else (model.member(law), objective.objective)
    batches = Batches(splits.train, config.train.batch_size, seed, torch.device("cpu"))
    fit(net, loss, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    law = model.chosen if arm == "selection" else law
    key = {"task": name, "seed": seed, "arm": arm, "law": model.names[law], "steps": config.train.steps}
    val = val_loss(net, splits.val, config.loss.function())
    return {**key, "accuracy": accuracy(net, splits.test), "loss": val}, len(model.names)


@torch.no_grad()
def accuracy(net: nn.Module, data: Dataset) -> float:
    """In percent."""
    return 100 * float((predict(net, data.inputs).argmax(1) == data.y).float().mean())


@torch.no_grad()
def val_loss(net: nn.Module, data: Dataset, loss_fn: LossFunction) -> float:
    """In nats at the best temperature."""
    return float(loss_of(loss_fn, calibrated(loss_fn, predict(net, data.inputs), data.y), data.y))


def table(found: list[dict[str, Any]]) -> str:
    """Accuracies: of selection, of its law alone, and of the law that is best alone on validation images."""
    lines = ["| task | seed | chosen | selection | that law alone | best law alone | its accuracy |"]
    lines.append("|---" * 7 + "|")
    steps, choice = [], []
    for chosen in (r for r in found if r["arm"] == "selection"):
        alone = [r for r in found if (r["task"], r["seed"], r["arm"]) == (chosen["task"], chosen["seed"], "alone")]
        same = next(r for r in alone if r["law"] == chosen["law"])
        best = min(alone, key=lambda r: r["loss"])
        steps.append(same["accuracy"] - chosen["accuracy"])
        choice.append(best["accuracy"] - same["accuracy"])
        cells = [chosen["task"], chosen["seed"], chosen["law"], *(f"{r['accuracy']:.1f}" for r in (chosen, same))]
        lines.append(f"| {' | '.join(map(str, cells))} | {best['law']} | {best['accuracy']:.1f} |")
    means = (
        f"the chosen law alone {sum(steps) / len(steps):+.1f}, the best law instead {sum(choice) / len(choice):+.1f}"
    )
    return "\n".join([*lines, "", f"Mean differences in points: {means}."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for seed in arguments.seeds:
        for name in arguments.tasks:
            if not any((r["task"], r["seed"]) == (name, seed) for r in found):
                found += rows(name, seed)
                arguments.out.write_text(json.dumps(found, indent=0))
    print(table(found))


if __name__ == "__main__":
    main()
