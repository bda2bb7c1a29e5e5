"""Few examples: is it better to hold some of them out to the end, or to give them back once a hypothesis is chosen?

python experiments/selection/few.py --out experiments/selection/few.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from learnsym.augment import Hypotheses
from learnsym.data import Batches, Splits
from learnsym.data.known import task_by_name
from learnsym.objectives import SuccessiveHalving
from learnsym.objectives.choosers.selection import Selection
from learnsym.statistics import over_seeds
from learnsym.suite import SIZES
from learnsym.suite.twins import config_of
from learnsym.training import RunConfig, fit
from learnsym.training.build import build_on
from learnsym.training.evaluate import evaluate

SIZE = SIZES["small"]
PLAIN = 3 * SIZE.steps
"""Plain steps that each training costs."""
EXAMPLES, POOL = (40, 160), 160
"""Labelled examples in all, the first ones of so many."""
TASKS = (
    "digits cyclic with jitter: 0, 90, 180, 270 ± 10",
    "fashion-mnist rotation 75",
    "mnist shear 0.2",
    "mnist two modes: 0, 180 ± 30",
)
"""Tasks of the calibrating half of the suite that plain networks do not solve, and whose laws have one number."""


@dataclass(frozen=True)
class Arm:
    """A twin, and the part of the examples that is held out to the end, or borrowed until a hypothesis is chosen."""

    twin: str
    held_out: float = 0.0
    borrow: float = 0.0


ARMS = {
    "plain": Arm("plain"),
    "oracle": Arm("oracle"),
    "quarter held out": Arm("learned", held_out=0.25),
    "quarter borrowed": Arm("learned", borrow=0.25),
}


def parted(name: str, examples: int, seed: int, held_out: float) -> Splits:
    """So many labelled examples of a task, some of which are held out, beside the test images."""
    whole = task_by_name(name).splits(seed, train=POOL, val=SIZE.val, test=SIZE.test)
    left = round(examples * (1 - held_out))
    val = whole.train.subset(torch.arange(left, examples)) if held_out else whole.val
    return Splits(train=whole.train.subset(torch.arange(left)), val=val, test=whole.test)


def row(name: str, examples: int, seed: int, arm: Arm) -> dict[str, Any]:
    """One training at the cost of `PLAIN` steps."""
    splits = parted(name, examples, seed, arm.held_out)
    chooser = "selection" if arm.twin == "learned" else ""
    config = config_of(task_by_name(name), "augerino", chooser, arm.twin, SIZE, seed)
    config = replace(config, train=replace(config.train, steps=PLAIN, batch_size=min(32, len(splits.train))))
    if isinstance(config.chooser, Selection):
        config = equal(replace(config, chooser=Selection(borrow=arm.borrow)), splits)
    model, objective, _ = build_on(config, splits)
    batches = Batches(splits.train, config.train.batch_size, seed, torch.device("cpu"))
    fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    scores = evaluate(model, splits.test, config.loss.function())
    chosen = model.names[model.chosen] if isinstance(model, Hypotheses) else ""
    accuracy, steps = 100 * scores["accuracy"], config.train.steps
    return {"accuracy": accuracy, "loss": scores["task"], "steps": steps, "chosen": chosen}


def equal(config: RunConfig, splits: Splits) -> RunConfig:
    """With as many steps of selection as its plain ones pay for; looks are a smaller share of more steps."""
    plain = config.train.steps
    for _ in range(4):
        model, objective, _ = build_on(config, splits)
        assert isinstance(model, Hypotheses) and isinstance(objective, SuccessiveHalving)
        steps = int(plain / objective.trainings(len(model.names), config.train.batch_size, model.test_copies))
        config = replace(config, train=replace(config.train, steps=steps))
    return config


def jobs(seeds: list[int]) -> Iterator[tuple[str, int, int]]:
    """Tasks, examples and seeds."""
    yield from ((name, examples, seed) for examples in EXAMPLES for seed in seeds for name in TASKS)


def table(rows: list[dict[str, Any]]) -> str:
    """Mean accuracy of each arm, and by how much borrowing is ahead of the others, over tasks."""
    by_key = {(r["task"], r["examples"], r["seed"], r["arm"]): r["accuracy"] for r in rows}
    lines = [f"| examples | trainings | {' | '.join(ARMS)} |", "|---" * (2 + len(ARMS)) + "|"]
    for examples in EXAMPLES:
        done = [key[:3] for key in by_key if key[1] == examples and key[3] == list(ARMS)[-1]]
        if not done:
            continue
        means = [sum(by_key[*key, arm] for key in done) / len(done) for arm in ARMS]
        lines.append(f"| {examples} | {len(done)} | {' | '.join(f'{mean:.1f}' for mean in means)} |")
    compared: dict[str, Callable[[tuple[str, int, int]], float]] = {
        "quarter held out": lambda key: by_key[*key, "quarter held out"],
        "the better of plain and oracle": lambda key: max(by_key[*key, "plain"], by_key[*key, "oracle"]),
    }
    lines += [f"quarter borrowed less {other}: {_gains(by_key, accuracy)}" for other, accuracy in compared.items()]
    return "\n".join(lines)


def _gains(by_key: dict[Any, float], other: Callable[[tuple[str, int, int]], float]) -> str:
    """Differences in points by number of examples, over tasks, each the mean over its seeds."""
    found = []
    for examples in EXAMPLES:
        own = [key for key in by_key if key[1] == examples and key[3] == "quarter borrowed"]
        tasks = {key[0] for key in own}
        per_task = [[by_key[key] - other(key[:3]) for key in own if key[0] == task] for task in tasks]
        if len(per_task) > 1:
            mean = over_seeds([sum(values) / len(values) for values in per_task])
            found.append(f"{examples}: {mean.estimate:+.1f} [{mean.low:+.1f}, {mean.high:+.1f}]")
    return ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for name, examples, seed in jobs(arguments.seeds):
        for arm in ARMS:
            key = {"task": name, "examples": examples, "seed": seed, "arm": arm}
            if not any(key.items() <= r.items() for r in rows):
                rows.append({**key, **row(name, examples, seed, ARMS[arm])})
                arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
