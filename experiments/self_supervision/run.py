"""Self-supervision for group convolutional networks: do labels that move, and contrast modulo the group, help?

python experiments/self_supervision/run.py --out runs/self_supervision
python experiments/self_supervision/run.py --data cifar10-jpeg --size 32 --out runs/photographs
python experiments/self_supervision/run.py --summary --out runs/self_supervision
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from tables import summary
from torch import nn

import learnsym as ls
from learnsym.data import Batches, Dataset, Splits
from learnsym.objectives import (
    EquivariantHead,
    InvariantContrast,
    Jigsaw,
    LearnedPoses,
    NaiveHead,
    PretextPrediction,
    RandomViews,
    RelativePosition,
    RotationLabel,
    spread_permutations,
)
from learnsym.objectives.self_supervision import Pretext, equivariant_perceptron

C4 = ls.groups.Cyclic(4)
DATA = ("fashion-mnist", "cifar10-jpeg")
TILE, HIDDEN = 8, 8
TASKS = ("rotation", "position", "jigsaw")
HEADS = {"equivariant": EquivariantHead, "naive": NaiveHead}
NETWORK = "plain network"
SIMILARITIES = ("plain", "mean", "max", "lse", "learned")
VIEWS = ("upright", "turned")
ARMS = (
    "untrained",
    "supervised",
    *(f"{task}, {head}" for task in TASKS for head in HEADS),
    *(f"{similarity}, {views}" for similarity in (*SIMILARITIES, NETWORK) for views in VIEWS),
)


def pretext(task: str) -> Pretext:
    """A task for quarter turns."""
    if task == "rotation":
        return RotationLabel(C4)
    return RelativePosition(C4, TILE) if task == "position" else Jigsaw(C4, TILE, spread_permutations(C4, 8))


def objective(arm: str, features: ls.equivariant.FieldType) -> Any:
    """What an arm minimises."""
    name, _, kind = arm.partition(", ")
    if name in TASKS:
        task = pretext(name)
        return PretextPrediction(task, HEADS[kind](task, features, HIDDEN))
    group, scale = features.group, 4 // len(features.group.components)
    similarity = LearnedPoses(C4, init=0.5) if name == "learned" else "plain" if name == NETWORK else name
    between = equivariant_perceptron(features, ls.equivariant.FieldType.regular(group, scale * HIDDEN), scale * HIDDEN)
    return InvariantContrast(group, between, RandomViews(group=C4 if kind == "turned" else None), similarity)


def splits(options: argparse.Namespace, seed: int) -> Splits:
    """Every seed draws other pictures."""
    chosen = {"train": options.pictures, "val": 16, "test": options.test, "size": options.size, "seed": seed}
    return ls.data.load_splits(ls.data.DataConfig(name=options.data, **chosen))


def turned(data: Dataset, seed: int) -> Dataset:
    """Each picture turned by a random multiple of 90 degrees."""
    g = C4.haar(len(data), generator=torch.Generator().manual_seed(seed))
    return Dataset(ls.actions.Image()(g, data.inputs), data.y, f"{data.name}, turned", data.classes)


def one(arm: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train one encoder without labels, and probe it with few."""
    start, data = time.process_time(), splits(options, seed)
    tests = {"upright": data.test, "turned": turned(data.test, seed)}
    row: dict[str, Any] = {"arm": arm, "data": options.data, "seed": seed}
    if arm == "supervised":
        probes = {str(count): supervised(data, tests, count, seed, options) for count in options.labelled}
        return row | {"probes": probes, "cpu": time.process_time() - start}
    net = classifier(arm, data.train, seed, options)
    if arm != "untrained":
        loss = objective(arm, net.encoder.out_type)
        # without targets: the probe is fitted at the end
        unlabelled = Dataset(data.train.x, torch.zeros(len(data.train), 0), "unlabelled")
        history = fit(net, loss, unlabelled, seed, options)
        last = history.records[-len(history.records) // 5 :]
        row |= {name: sum(record[name] for record in last) / len(last) for name in ("pretext", "right")}
        row |= {"degrees": {d.generator: d.estimate for d in ls.degrees(loss, root="loss")}}
        if arm == "rotation, naive":
            row["at labels"] = at_labels(net.eval(), loss, data.test)
    features = nn.Sequential(net.encoder, net.invariants).eval()
    row["probes"] = {
        str(count): {
            views: ls.training.linear_probe(features, data.train, test, count).accuracy.mean
            for views, test in tests.items()
        }
        for count in options.labelled
    }
    return row | {"cpu": time.process_time() - start}


def classifier(arm: str, train: Dataset, seed: int, options: argparse.Namespace) -> ls.nets.OrbitClassifier:
    """An encoder with a linear layer; the same weights in every arm of a seed."""
    torch.manual_seed(seed)
    group, fields = (ls.groups.Cyclic(1), 4 * options.fields) if arm.startswith(NETWORK) else (C4, options.fields)
    return ls.nets.OrbitClassifier(ls.nets.RegularEncoder(group, train.x.shape[1], fields=fields), train.classes)


def supervised(
    data: Splits, tests: dict[str, Dataset], count: int, seed: int, options: argparse.Namespace
) -> dict[str, float]:
    """Accuracies of the network that is trained on the labels of the probe."""
    net = classifier("supervised", data.train, seed, options)
    fit(net, ls.objectives.Supervised(F.cross_entropy), data.train.subset(torch.arange(count)), seed, options)
    return {views: ls.training.evaluate(net, test, F.cross_entropy)["accuracy"] for views, test in tests.items()}


def fit(net: nn.Module, loss: Any, data: Dataset, seed: int, options: argparse.Namespace) -> ls.training.History:
    """AdamW with a half cosine; as many steps for every arm."""
    rates = ls.training.OptimiserConfig(lr=options.rate, symmetry_lr=3e-2, warmup=options.steps // 20)
    batches = Batches(data, min(options.batch, len(data)), seed)
    return ls.training.fit(net, loss, batches, steps=options.steps, optimiser=rates, seed=seed)


@torch.no_grad()
def at_labels(net: nn.Module, loss: Any, data: Dataset) -> float:
    """The loss over all pictures with each label, less log 4, which no invariant head is below."""
    x, task = data.inputs[:256], loss.pretext
    labels = torch.arange(task.labels.size).repeat_interleave(len(x))
    views = task.make(x.repeat(task.labels.size, 1, 1, 1), labels)
    logits = loss.head(net.encoder(views.flatten(0, 1)).unsqueeze(1))
    return float(F.cross_entropy(logits, labels)) - math.log(task.labels.size)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--data", choices=DATA, default=DATA[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=120, help="of the optimiser, in every arm")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=5e-3)
    parser.add_argument("--pictures", type=int, default=4000, help="without labels")
    parser.add_argument("--labelled", type=int, nargs="+", default=[500, 40], help="labels of the probes; 40 are 1 %%")
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--size", type=int, default=24, help="pixels a side")
    parser.add_argument("--fields", type=int, default=6, help="regular fields of every layer, of four channels each")
    parser.add_argument("--summary", action="store_true", help="only print the tables of finished runs")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{options.data}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(row["arm"], row["seed"]) for row in rows}
    for seed in range(0 if options.summary else options.seeds):
        for arm in options.arms:
            if (arm, seed) not in done:
                rows.append(one(arm, seed, options))
                with path.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    print(summary(rows, [str(count) for count in options.labelled]))


if __name__ == "__main__":
    main()
