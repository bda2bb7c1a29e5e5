"""Does the likelihood find the planted group, and does the network keep the accuracy of its best twin?

python experiments/probabilistic_steerable/run.py planted --out runs/probabilistic_steerable
python experiments/probabilistic_steerable/run.py digits --out runs/probabilistic_steerable
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from networks import ARMS, count, made
from planted import CELLS, recovered
from torch import Tensor, nn
from torch.nn import functional as F

import learnsym as ls
from learnsym.data.double_digits import GROUPS
from learnsym.relax import Likelihood, cell_masses, certificates, likelihoods, peaked, planted_masses

PLANTED = ("c1", "c4", "so2", "o2")
SEEDS = (0, 1, 2)
DIGITS, SIZE = (2, 5, 6, 9), 28
EXAMPLES, TESTS, BATCH = 2500, 2000, 64
PULLS = {"align": 5.0, "previous": 0.05, "uniform": 0.05, "prior": 1 / EXAMPLES}


def planted_kernels() -> Iterator[dict[str, Any]]:
    """One convolution, each planted group, each seed."""
    for seed in SEEDS:
        for key in PLANTED:
            start = time.process_time()
            masses, distance = recovered(GROUPS[key], seed)
            print(key, seed, f"total variation {distance:.3f}, {time.process_time() - start:.0f} s", flush=True)
            yield {"planted": key, "seed": seed, "total_variation": distance, "cells": masses.tolist()}


def double_digits(epochs: int) -> Iterator[dict[str, Any]]:
    """Every arm, planted group and seed."""
    for seed in SEEDS:
        for key in PLANTED:
            train, val, test = (images(key, n, split, seed) for n, split in SPLITS)
            for arm in (*ARMS, "CNN"):
                row = {"planted": key, "seed": seed, "arm": arm} | trained(arm, train, val, test, seed, epochs)
                shown = {name: round(row[name], 3) for name in ("test", "val", "weights", "seconds")}
                print(key, seed, arm, shown, flush=True)
                yield row


SPLITS = ((EXAMPLES, "train"), (1000, "val"), (TESTS, "test"))


def images(key: str, n: int, split: str, seed: int) -> tuple[Tensor, Tensor]:
    """Standardised images of 28 x 28 and their pairs."""
    data = ls.data.double_digits(n, GROUPS[key], split, seed, DIGITS)
    x = F.interpolate(data.x, (SIZE, SIZE), mode="bilinear", antialias=True)
    return (x - 0.1) / 0.3, data.y


def trained(arm: str, train: tuple[Tensor, Tensor], val: Any, test: Any, seed: int, epochs: int) -> dict[str, Any]:
    """Accuracies and what was learned."""
    net, start = made(arm, len(DIGITS) ** 2, seed), time.process_time()
    fit(net, objective(arm), ls.data.Dataset(*train, classes=len(DIGITS) ** 2), epochs, seed)
    found = {"test": accuracy(net, *test), "val": accuracy(net, *val), "weights": count(net)}
    found["seconds"] = time.process_time() - start
    if arm == "probabilistic":
        layers = [cell_masses(streams[0], CELLS).detach() for streams in likelihoods(net)]
        found["cells"] = [masses.tolist() for masses in layers]
        found["certificates"] = [row.bound for row in certificates(net)]
    if arm in ("probabilistic", "residual"):
        found["degrees"] = [[degree.generator, degree.estimate] for degree in ls.degrees(net)]
    return found


def objective(arm: str) -> ls.objectives.Objective:
    """The loss of an arm."""
    loss = F.cross_entropy
    if arm == "probabilistic":
        return ls.objectives.Probabilistic(loss, **PULLS)
    return ls.objectives.WithPrior(loss, EXAMPLES) if arm == "residual" else ls.objectives.Supervised(loss)


def fit(net: nn.Module, loss: ls.objectives.Objective, data: ls.data.Dataset, epochs: int, seed: int) -> None:
    """Adam, warm-up for three tenths of the steps and cosine decay; faster for likelihoods, which start nearly free."""
    for module in net.modules():
        if isinstance(module, Likelihood):
            peaked(module, 4.0)
    batches = ls.data.Batches(data, BATCH, seed)
    steps = epochs * batches.steps_per_epoch
    optimiser = ls.training.OptimiserConfig(lr=3e-3, symmetry_lr=0.1, weight_decay=0.0, warmup=3 * steps // 10)
    ls.training.fit(net, loss, batches, steps=steps, optimiser=optimiser, seed=seed)


def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """On images, in evaluation mode."""
    with torch.no_grad():
        return float((net.eval()(x).argmax(1) == y).float().mean())


def tables(out: Path) -> None:
    """Means and standard deviations over seeds."""
    for name in ("planted", "digits"):
        if (out / f"{name}.json").exists():
            rows = json.loads((out / f"{name}.json").read_text(encoding="utf8"))
            print("\n".join(planted_table(rows) if name == "planted" else digits_table(rows)))


def planted_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| planted | total variation |", "|---|---|"]
    return lines + [
        f"| {key} | {spread([r['total_variation'] for r in rows if r['planted'] == key])} |" for key in PLANTED
    ]


def digits_table(rows: list[dict[str, Any]]) -> list[str]:
    arms = [*ARMS, "CNN"]
    lines = [f"| planted | {' | '.join(arms)} |", "|---" * (len(arms) + 1) + "|"]
    for key in PLANTED:
        cells = [spread([r["test"] for r in rows if (r["planted"], r["arm"]) == (key, arm)], 100) for arm in arms]
        lines.append(f"| {key} | {' | '.join(cells)} |")
    learned = [row for row in rows if row["arm"] == "probabilistic"]
    lines += ["", "| planted | layer 1 | layer 2 | layer 3 | layer 4 |", "|---|---|---|---|---|"]
    for key in PLANTED:
        target = planted_masses(GROUPS[key], CELLS)
        found = [torch.tensor(row["cells"]).double() for row in learned if row["planted"] == key]
        each = [spread([float(0.5 * (m[layer] - target).abs().sum()) for m in found]) for layer in range(4)]
        lines.append(f"| {key} | {' | '.join(each)} |")
    return lines


def spread(values: list[float], scale: float = 1.0) -> str:
    """Mean and standard deviation."""
    values = [scale * value for value in values]
    return f"{statistics.mean(values):.{1 if scale > 1 else 2}f} ± {statistics.stdev(values):.{1 if scale > 1 else 2}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("planted", "digits", "tables"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4, help="of digits")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.part != "tables":
        rows = []
        for row in planted_kernels() if options.part == "planted" else double_digits(options.epochs):
            rows.append(row)
            (options.out / f"{options.part}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf8")
    tables(options.out)


if __name__ == "__main__":
    main()
