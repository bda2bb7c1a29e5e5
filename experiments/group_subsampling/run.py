"""Group equivariant subsampling: what do exact autoencoders gain in data and outside of the training distribution?

python experiments/group_subsampling/run.py --out runs/group_subsampling
python experiments/group_subsampling/run.py --summary --out runs/group_subsampling
"""

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from sprites import sprites
from torch import Tensor, nn

import learnsym as ls
from learnsym.nets import ConvAutoencoder, GConvAutoencoder, GroupAutoencoder, matched_width, parameter_count

C1, C4, D4 = ls.groups.Cyclic(1), ls.groups.Cyclic(4), ls.groups.Dihedral(4)
MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "ConvAE": lambda size, width: ConvAutoencoder(size, width=width),
    "GConvAE p4": lambda size, width: GConvAutoencoder(C4, size, width=width),
    "GAE p1": lambda size, width: GroupAutoencoder(C1, size, width=width),
    "GAE p4": lambda size, width: GroupAutoencoder(C4, size, width=width),
    "GAE p4m": lambda size, width: GroupAutoencoder(D4, size, width=width),
}
SETTINGS = {
    "cpu": {"size": 32, "width": 12, "steps": 400, "rate": 2e-3, "examples": (100, 1600)},
    "cuda": {"size": 64, "width": 32, "steps": 20000, "rate": 5e-4, "examples": (200, 400, 800, 1600, 3200, 6400)},
}
"""Reduced on a CPU; `width` is that of ConvAE, the others are matched in parameters."""
BATCH, TEST, OUTSIDE = 16, 512, 1600
TASKS = ("sprites", "fashion", "outside")


def images(task: str, split: str, n: int, size: int, seed: int) -> Tensor:
    """The images of a task; `outside` trains on the part "seen"."""
    number = 2 * seed + (split != "train")
    if task == "fashion":
        return fashion(split, n, size, number)
    part = "all" if task == "sprites" else "seen" if split == "train" else split
    return sprites(n, size, 1000 + number, part)


def fashion(split: str, n: int, size: int, seed: int) -> Tensor:
    """Fashion-MNIST in one colour each, inside of the inscribed circle, at one of 32 orientations."""
    data = ls.data.load("fashion-mnist")["train" if split == "train" else "test"]
    random = torch.Generator().manual_seed(seed)
    x = data.x[torch.randperm(len(data.x), generator=random)[:n]].float() / 255
    x = torch.nn.functional.interpolate(x, size=round(0.6875 * size), mode="bilinear", antialias=True)
    around = size - x.shape[-1]
    x = torch.nn.functional.pad(x, (around // 2, around - around // 2) * 2)
    angle = 2 * math.pi * torch.randint(32, (n, 1), generator=random) / 32
    x = ls.actions.Image()(ls.groups.SO2().exp(angle), x)
    return x * (0.3 + 0.7 * torch.rand(n, 3, 1, 1, generator=random))


def trained(net: nn.Module, x: Tensor, steps: int, rate: float, seed: int) -> None:
    """Adam, a warm-up over a tenth of the steps and a cosine decay, on the mean squared error to the images."""
    objective = ls.objectives.Supervised(ls.objectives.mse)
    optimiser = ls.training.OptimiserConfig(lr=rate, weight_decay=0.0, warmup=steps // 10)
    batches = ls.data.Batches(ls.data.Dataset(x, x), BATCH, seed, x.device)
    ls.training.fit(net, objective, batches, steps=steps, optimiser=optimiser, seed=seed)
    net.eval()


@torch.no_grad()
def squared_error(net: nn.Module, x: Tensor) -> float:
    """Squared error in per cent of the sum of squares of the images: a black one has 100."""
    error = sum(float((net(part) - part).square().sum()) for part in x.split(128))
    return 100 * error / float(x.square().sum())


@torch.no_grad()
def movement_error(net: nn.Module, x: Tensor) -> dict[str, float]:
    """Relative error `|f(g x) - g f(x)| / |f(x)|` under a shift by (3, 5) pixels, a quarter turn, a flip.

    Its median, and the share of images for which it is above 1e-5, in per cent.
    """
    moves: dict[str, Callable[[Tensor], Tensor]] = {
        "shift": lambda y: y.roll((3, 5), (2, 3)),
        "turn": lambda y: y.rot90(1, (2, 3)),
        "flip": lambda y: y.flip(3),
    }
    y = net(x)
    scale = y.flatten(1).norm(dim=1)
    errors = {name: (net(g(x)) - g(y)).flatten(1).norm(dim=1) / scale for name, g in moves.items()}
    medians = {name: float(error.median()) for name, error in errors.items()}
    return medians | {f"{name}, moved": 100 * float((error > 1e-5).float().mean()) for name, error in errors.items()}


def one(task: str, name: str, n: int, seed: int, device: str) -> dict[str, object]:
    """Train one network and test it."""
    chosen = SETTINGS[device]
    size, width = chosen["size"], chosen["width"]
    if name != "ConvAE":
        goal = parameter_count(ConvAutoencoder(size, width=width))
        width = matched_width(lambda w: MODELS[name](size, w), goal, 64)
    torch.manual_seed(seed)
    net = MODELS[name](size, width).to(device)
    x = images(task, "train", n, size, seed).to(device)
    start = time.process_time()
    trained(net, x, chosen["steps"], chosen["rate"], seed)
    seconds = time.process_time() - start
    splits = ("seen", "unseen") if task == "outside" else ("test",)
    tests = {split: images(task, split, TEST, size, seed).to(device) for split in splits}
    row = {"task": task, "model": name, "n": n, "seed": seed, "parameters": parameter_count(net), "width": width}
    row |= {split: squared_error(net, test) for split, test in tests.items()}
    return row | movement_error(net, tests[splits[0]][:256]) | {"train": squared_error(net, x), "cpu": seconds}


def cells(tasks: Iterable[str], models: Iterable[str], seeds: int, device: str) -> list[tuple[str, str, int, int]]:
    """Task, model, training images, seed; seed by seed, so that what is finished is balanced."""
    sizes = {task: (OUTSIDE,) if task == "outside" else SETTINGS[device]["examples"] for task in tasks}
    return [(task, model, n, seed) for seed in range(seeds) for task in tasks for n in sizes[task] for model in models]


def interval(values: list[float]) -> str:
    """Mean with Student's 95 % interval."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.2f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def summary(rows: list[dict[str, object]]) -> str:
    """Tables: squared errors, differences to ConvAE paired by seed, errors under moves."""
    found = defaultdict(dict)
    for row in rows:
        found[row["task"], row["n"], row["model"]][row["seed"]] = row
    lines = [
        "| task | images | model | parameters | error, % | minus ConvAE | shift | turn | flip |",
        "|" + "---|" * 9,
    ]
    for (task, n, model), by_seed in sorted(
        found.items(), key=lambda item: (item[0][0], item[0][1], list(MODELS).index(item[0][2]))
    ):
        for split in ("test", "seen", "unseen"):
            if split not in next(iter(by_seed.values())):
                continue
            base = found[task, n, "ConvAE"]
            values = [row[split] for row in by_seed.values()]
            paired = [row[split] - base[seed][split] for seed, row in by_seed.items() if seed in base]
            worst = " | ".join(
                f"{np.mean([row[move] for row in by_seed.values()]):.1g} "
                f"({np.mean([row[f'{move}, moved'] for row in by_seed.values()]):.1f} %)"
                for move in ("shift", "turn", "flip")
            )
            count = next(iter(by_seed.values()))["parameters"]
            cells_ = [
                f"{task}, {split}",
                n,
                model,
                f"{count:,}",
                interval(values),
                interval(paired) if model != "ConvAE" else "",
            ]
            lines.append(f"| {' | '.join(map(str, cells_))} | {worst} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", choices=tuple(SETTINGS), default="cpu", help="cpu: reduced sizes; cuda: full")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--models", nargs="+", choices=tuple(MODELS), default=tuple(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--summary", action="store_true", help="only print the tables of finished runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"results-{options.device}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(row["task"], row["model"], row["n"], row["seed"]) for row in rows}
    if not options.summary:
        for cell in cells(options.tasks, options.models, options.seeds, options.device):
            if cell not in done:
                rows.append(one(*cell, options.device))
                with path.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    print(summary(rows))


if __name__ == "__main__":
    main()
