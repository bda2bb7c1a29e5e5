"""Digits in a quadrant: does the evidence keep the convolutions where only the digit counts, and drop them where the
quadrant counts, too?

python experiments/layerwise_equivariance/run.py --out experiments/layerwise_equivariance/results/mnist.json
"""

from __future__ import annotations

import argparse
import json
import math
import time
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.data import DataConfig, load_splits
from learnsym.objectives import LaplaceEvidence, Supervised, cross_entropy
from learnsym.objectives.marginal_likelihood.likelihoods import Classes
from learnsym.objectives.marginal_likelihood.paths import layer_degree, path_shares
from learnsym.objectives.marginal_likelihood.precisions import Kept, MacKay
from learnsym.objectives.marginal_likelihood.whole import whole_evidence

SIDE, CLASSES = 16, {"digit": 10, "digit x quadrant": 40}
TRAIN, TEST, BATCH, LOOKED_AT = 1000, 2000, 100, 25
STEPS, START, EVERY = 400, 40, 10
WIDTHS, STRIDES, ALPHA = (1, 2, 4, 8), (1, 2, 2, 2), 3
RULES = {"MAP": Kept(), "learned": MacKay()}
ARMS = {
    "conv": ("conv", "learned"),
    "f-fc": ("f-fc", "learned"),
    "f-fc+conv": ("f-fc+conv", "learned"),
    "f-fc+conv, MAP": ("f-fc+conv", "MAP"),
}


@cache
def digits(split: str) -> tuple[Tensor, Tensor]:
    """MNIST at 8 x 8 pixels, each in a quadrant of 16 x 16 drawn once: images, and the digit with the quadrant."""
    config = DataConfig(name="mnist", size=SIDE // 2, train=TRAIN, val=100, test=TEST)
    data = getattr(load_splits(config), split)
    quadrant = torch.randint(4, (len(data.y),), generator=torch.Generator().manual_seed(len(split)))
    canvas = torch.zeros(len(data.y), 1, SIDE, SIDE)
    for corner in range(4):
        top, left = (SIDE // 2 * part for part in divmod(corner, 2))
        own = quadrant == corner
        canvas[own, :, top : top + SIDE // 2, left : left + SIDE // 2] = data.x[own]
    return canvas, data.y + 10 * quadrant


def examples(split: str, task: str) -> tuple[Tensor, Tensor]:
    x, both = digits(split)
    return x, both if task == "digit x quadrant" else both % 10


class Net(nn.Module):
    """Four maps of one kind between grids of 16, 16, 8, 4 and 2 pixels, their mean over pixels, two linear layers."""

    def __init__(self, layer: str, classes: int) -> None:
        super().__init__()
        maps, channels, size = [], 1, SIDE
        for factor, stride in zip(WIDTHS, STRIDES, strict=True):
            mapping: Any = ls.nets.LAYERWISE[layer](channels, ALPHA * factor, size, stride=stride)
            mapping.reset_parameters(2**0.5)
            maps += [mapping, nn.ReLU()]
            channels, size = ALPHA * factor, size // stride
        self.maps = nn.Sequential(*maps)
        self.head = nn.Sequential(nn.Linear(channels, 64), nn.ReLU(), nn.Linear(64, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.maps(x).mean((2, 3)))


def row(arm: str, task: str, seed: int) -> dict[str, Any]:
    """One training, its test accuracy, and what the evidence of all training images says of it."""
    layer, rule = ARMS[arm]
    torch.manual_seed(seed)
    net = Net(layer, CLASSES[task])
    x, y = examples("train", task)
    # precisions that are kept need one look, which names them
    start = START if rule == "learned" else STEPS - 1
    objective = LaplaceEvidence(
        Supervised(cross_entropy), len(x), batch=LOOKED_AT, every=EVERY, start=start, precisions=RULES[rule]
    )
    order = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), BATCH, shuffle=True, drop_last=True)
    optimiser = ls.training.OptimiserConfig(lr=1e-2, weight_decay=0.0)
    began, course = time.process_time(), []
    ls.training.fit(
        net,
        objective,
        order,
        steps=STEPS,
        optimiser=optimiser,
        seed=seed,
        on_record=lambda record: course.append(objective.precisions()) if record["step"] % EVERY == 0 else None,
    )
    seconds = time.process_time() - began
    net.eval()
    precisions = {name: torch.tensor(delta, dtype=torch.double) for name, delta in objective.precisions().items()}
    found = whole_evidence(net, precisions, x, y, Classes(), batch=100)
    test_x, test_y = examples("test", task)
    with torch.no_grad():
        accuracy = 100 * float((net(test_x).argmax(1) == test_y).double().mean())
        trained = 100 * float((net(x).argmax(1) == y).double().mean())
    shares = path_shares(net, found.dimensions)
    numbers = {name: weight.numel() for name, weight in net.named_parameters()}
    return {
        "arm": arm,
        "task": task,
        "seed": seed,
        "accuracy": accuracy,
        "training accuracy": trained,
        "log_evidence": float(found.total) / len(x),
        "fit": float(found.fit) / len(x),
        "q": 1 - mean([layer_degree(path, *map(float, both.values())).estimate for path, both in shares.items()]),
        "free": {path: float(both["free"]) for path, both in shares.items()},
        "conv": {path: float(both["conv"]) for path, both in shares.items()},
        "running": objective.path_dimensions(),
        "precisions": objective.precisions(),
        "dimensions": {name: float(value) / numbers[name] for name, value in found.dimensions.items()},
        "last change": change(course),
        "seconds": seconds,
    }


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def change(course: list[dict[str, float]]) -> float:
    """The largest relative change of the precision of a path over the last five looks."""
    if len(course) < 6 or not course[-6]:
        return 0.0
    paths = [name for name in course[-1] if name.startswith("maps") and "bias" not in name]
    return max(abs(course[-1][name] / course[-6][name] - 1) for name in paths)


def bars(rows: list[dict[str, Any]]) -> list[str]:
    """Bars 1 to 4 of the reduced run, seed by seed."""
    seeds = sorted({each["seed"] for each in rows})
    of = {(each["arm"], each["task"], each["seed"]): each for each in rows}
    lines = []
    for seed in seeds:
        a, b = ({arm: of.get((arm, task, seed)) for arm in ARMS} for task in CLASSES)
        if not all((*a.values(), *b.values())):
            continue
        both = "f-fc+conv"
        contrast = b[both]["q"] - a[both]["q"]
        first = {task: log_precision(each[both]) for task, each in (("A", a), ("B", b))}
        by_hand = b["f-fc+conv, MAP"]["q"] - a["f-fc+conv, MAP"]["q"]
        fit_a = a[both]["accuracy"] - a["conv"]["accuracy"]
        fit_b = b[both]["accuracy"] - b["f-fc"]["accuracy"]
        ranks = [each["conv"]["log_evidence"] - each["f-fc"]["log_evidence"] for each in (a, b)]
        judged = {
            f"1 contrast {contrast:+.2f}, log precision {first['A']:.1f} / {first['B']:.1f}": contrast >= 0.2
            and first["A"] > first["B"],
            f"2 fit A {fit_a:+.1f}, B {fit_b:+.1f}, conv on B {b['conv']['accuracy']:.1f}": fit_a >= -1
            and fit_b >= -1
            and b["conv"]["accuracy"] <= 27,
            f"3 MAP contrast {by_hand:+.2f}": abs(by_hand) < 0.1,
            f"4 evidence conv - f-fc on A {ranks[0]:+.2f}, on B {ranks[1]:+.2f}": ranks[0] > 0 > ranks[1],
        }
        lines += [f"seed {seed}: {text}: {'met' if met else 'MISSED'}" for text, met in judged.items()]
    return lines


def log_precision(each: dict[str, Any]) -> float:
    """Mean log precision of the patterns of the free paths in the first half of the layers."""
    first = [f"maps.{2 * index}.free.{kind}" for index in range(2) for kind in ("reading", "writing")]
    return mean([math.log(each["precisions"][name]) for name in first])


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| task | arm | test accuracy | log evidence per image | q |", "|---|---|---|---|---|"]
    for task in CLASSES:
        for arm in ARMS:
            found = [each for each in rows if (each["task"], each["arm"]) == (task, arm)]
            if found:
                cells = [over([each[key] for each in found], form) for key, form in SHOWN.items()]
                lines.append(f"| {task} | {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


SHOWN = {"accuracy": "{:.1f}", "log_evidence": "{:.2f}", "q": "{:.2f}"}


def over(values: list[float], form: str) -> str:
    """The mean with its interval over seeds."""
    if any(map(math.isnan, values)):
        return ""
    if len(values) < 2:
        return form.format(values[0])
    interval = ls.statistics.over_seeds(values)
    return f"{form.format(mean(values))} [{form.format(interval.low)}, {form.format(interval.high)}]"


def main() -> None:
    """Train what is not there yet, and print the table and the bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="what is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    done = {(each["arm"], each["task"], each["seed"]) for each in rows}
    for seed in arguments.seeds:
        for task in CLASSES:
            for arm in arguments.arms:
                if (arm, task, seed) not in done:
                    rows.append(row(arm, task, seed))
                    arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))
    print("\n".join(bars(rows)))


if __name__ == "__main__":
    main()
