"""Relaxed equivariance through multitask learning: what do penalties buy a plain transformer, and at which cost?

python experiments/remul/run.py --task gravity --out runs/remul
python experiments/remul/run.py --task ethanol --out runs/remul         # needs LEARNSYM_DATA
python experiments/remul/timing.py --out runs/remul
"""

import argparse
import json
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from arms import ARMS, GROUPS, Arm, network, objective, optimiser
from tables import table
from tasks import TASKS, Task
from torch import nn

import learnsym as ls

BATCH = 32
PROBED, SAMPLES = 100, 20
"""Examples and rotations for the equivariance errors; 20 rotations as published."""
Row = dict[str, Any]


@cache
def task_of(name: str, seed: int) -> Task:
    return TASKS[name](seed)


def error(net: nn.Module, data: ls.data.Dataset) -> float:
    return ls.training.evaluate(net, data, ls.objectives.mse)["task"]


def deviations(net: nn.Module, task: Task, groups: list[str]) -> dict[str, float]:
    """E', the mean distance between `f(gx)` and `g f(x)`, under each group."""
    inputs, outputs = task.types
    found = {}
    for name in groups:
        symmetry = ls.Symmetry(GROUPS[name], inputs, outputs)
        found[name] = ls.measure.remul_errors(net, task.test.x[:PROBED], symmetry, SAMPLES).deviation.mean
    return found


def row(name: str, label: str, arm: Arm, seed: int, steps: int) -> Row:
    task = task_of(name, seed)
    torch.manual_seed(seed)
    net = network(arm.net, *task.types)
    goal = objective(arm, task, net)
    batches = ls.data.Batches(task.train, BATCH, seed)
    started = time.process_time()
    ls.training.fit(net, goal, batches, steps=steps, optimiser=optimiser(arm), seed=seed)
    seconds = time.process_time() - started
    weighting = getattr(goal, "weighting", None)
    learned = dict(zip(weighting.names, weighting.weights.tolist(), strict=True)) if weighting is not None else {}
    return {
        "task": name,
        "arm": label,
        "seed": seed,
        "steps": steps,
        "rate": optimiser(arm).lr,
        "parameters": ls.nets.parameter_count(net),
        "train": error(net, task.train),
        "val": error(net, task.val),
        "test": error(net, task.test),
        "turned": error(net, task.turned),
        "deviation": deviations(net, task, list(GROUPS) if "field" in name else ["SO(3)"]),
        "weights": learned,
        "seconds": seconds,
    }


def main() -> None:
    arms = "\n".join(f"  {task}: {'; '.join(labels)}" for task, labels in ARMS.items())
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"arms by task:\n{arms}", formatter_class=form)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", required=True, choices=TASKS)
    parser.add_argument("--arms", nargs="+", help="names of what is compared; all of the task when left out")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rate", type=float, help="another learning rate for all arms, to choose it")
    parser.add_argument("--base", default="plain", help="the arm that ratios refer to")
    options = parser.parse_args()
    known = ARMS[options.task]
    for label in [*(options.arms or []), options.base]:
        if label not in known:
            parser.error(f"--arms, --base: {options.task} has no {label!r} (choose from {'; '.join(known)})")
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"{options.task.replace(' ', '-')}.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    arms = {label: arm for label, arm in ARMS[options.task].items() if label in (options.arms or ARMS[options.task])}
    if options.rate:
        arms = {label: replace(arm, rate=options.rate) for label, arm in arms.items()}
    for seed in options.seeds:
        for label, arm in arms.items():
            planned = (label, seed, options.steps, optimiser(arm).lr)
            if planned in {(r["arm"], r["seed"], r["steps"], r["rate"]) for r in rows}:
                continue
            rows.append(row(options.task, label, arm, seed, options.steps))
            with file.open("a") as stream:
                stream.write(json.dumps(rows[-1]) + "\n")
            print(json.dumps(rows[-1]), flush=True)
    print(table([r for r in rows if r["steps"] == options.steps], options.base))


if __name__ == "__main__":
    main()
