"""Residual pathways: as good as the better of the exact and the free network, without knowing which one that is?

python experiments/residual_pathway/run.py --part turns --out runs/residual_pathway
python experiments/residual_pathway/run.py --part quadrants --out runs/residual_pathway
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn

import learnsym as ls
from learnsym.equivariant import EquivariantLinear, FieldBatchNorm, FieldType, GroupConv2d
from learnsym.relax import ResidualPathway, VariationalPathway

GROUP = ls.groups.Cyclic(4)
FIELDS, BATCH, TEST = 6, 50, 2000
RATES, WEIGHTS = {"turns": 1e-2, "quadrants": 4e-3}, {"turns": 1e-2, "quadrants": 1e-4}
TRAIN, STEPS = {"turns": 500, "quadrants": 1000}, {"turns": 400, "quadrants": 250}
SIDE, CANVAS = 14, 32
TASKS = {"turns": ("exact", "upright", "absent"), "quadrants": ("digit", "digit and quadrant")}
NETS = {
    "turns": ("exact", "plain", "plain, half the width", "residual, 0.1", "residual, 0.01", "variational"),
    "quadrants": ("conv", "fc", "fc+conv"),
}
Row = dict[str, Any]


def digits(seed: int, train: int) -> tuple[ls.data.Dataset, ls.data.Dataset]:
    """Training and test images of 14 pixels."""
    splits = ls.data.load_splits(ls.data.DataConfig(name="mnist", train=train, test=TEST, seed=seed))
    return shrunk(splits.train), shrunk(splits.test)


def shrunk(data: ls.data.Dataset) -> ls.data.Dataset:
    x = nn.functional.avg_pool2d(data.inputs, 28 // SIDE)
    return ls.data.Dataset(x / x.square().mean().sqrt(), data.y, data.name, 10)


def turned(data: ls.data.Dataset, task: str, seed: int) -> ls.data.Dataset:
    """Quarter turns of each image and what is asked: the digit, or for `absent` the turn.

    `exact`: turned uniformly, so that the label is invariant; `upright`: never turned; `absent`: the label is the turn.
    """
    generator = torch.Generator().manual_seed(seed)
    turns = torch.randint(4, (len(data),), generator=generator)
    if task == "upright":
        turns.zero_()
    x = torch.stack([image.rot90(int(k), (1, 2)) for image, k in zip(data.inputs, turns, strict=True)])
    return ls.data.Dataset(x, turns if task == "absent" else data.y, task, 10)


def in_quadrant(data: ls.data.Dataset, task: str, seed: int) -> ls.data.Dataset:
    """Each digit in the middle of a random quadrant; the label is the digit, or both."""
    generator = torch.Generator().manual_seed(seed)
    quadrants = torch.randint(4, (len(data),), generator=generator)
    x = torch.zeros(len(data), 1, CANVAS, CANVAS)
    for image, q, canvas in zip(data.inputs, quadrants, x, strict=True):
        top, left = 16 * (q // 2) + 1, 16 * (q % 2) + 1
        canvas[:, top : top + SIDE, left : left + SIDE] = image
    labels = data.y if task == "digit" else data.y + 10 * quadrants
    return ls.data.Dataset(x, labels, task, 10 if task == "digit" else 40)


class Plain(nn.Module):
    """The plain twin of an exact layer, with free initial weights and the prior of variance 1."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer: Any = layer.plain()
        nn.init.normal_(self.layer.weight, std=self.layer.weight[0].numel() ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)

    def penalty(self) -> Tensor:
        return 0.5 * self.layer.weight[0].numel() * self.layer.weight.square().sum()


def frozen(layer: Any) -> nn.Module:
    """An exact layer with its prior: a pathway whose free part stays 0."""
    pathway = ResidualPathway(layer)
    pathway.free.requires_grad_(False)
    return pathway


LAYERS: dict[str, Callable[[Any], nn.Module]] = {
    "exact": frozen,
    "plain": Plain,
    "plain, half the width": Plain,
    "residual, 0.1": lambda layer: ResidualPathway(layer, free_variance=0.1),
    "residual, 0.01": lambda layer: ResidualPathway(layer, free_variance=0.01),
    "variational": VariationalPathway,
}


def rotation_net(name: str, classes: int = 10) -> nn.Module:
    """Three convolutions over p4 fields, normalised by field, the mean over pixels, a linear map to invariants."""
    make, fields = LAYERS[name], FIELDS // 2 if name.endswith("width") else FIELDS
    image, regular = FieldType.trivial(GROUP, 1), FieldType.regular(GROUP, fields)
    return nn.Sequential(
        make(GroupConv2d(image, regular, 5, padding=2)),
        FieldBatchNorm(regular),
        nn.ReLU(),
        nn.AvgPool2d(2),
        make(GroupConv2d(regular, regular, 3, padding=1)),
        FieldBatchNorm(regular),
        nn.ReLU(),
        make(GroupConv2d(regular, regular, 3, padding=1)),
        FieldBatchNorm(regular),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        make(EquivariantLinear(regular, FieldType.trivial(GROUP, classes))),
    )


def grid_net(name: str, classes: int) -> nn.Module:
    return ls.nets.LayerwiseNet(name, 1, classes, width=2, size=CANVAS)


def trained(net: nn.Module, data: ls.data.Dataset, steps: int, seed: int, rate: float, weight: float) -> nn.Module:
    """Adam with a cosine decay on the loss with priors of a given weight."""
    objective = ls.objectives.WithPrior(ls.objectives.cross_entropy, len(data), weight)
    optimiser = ls.training.OptimiserConfig(lr=rate, weight_decay=0.0)
    ls.training.fit(net, objective, ls.data.Batches(data, BATCH, seed), steps=steps, optimiser=optimiser, seed=seed)
    return net.eval()


@torch.no_grad()
def accuracy(net: nn.Module, data: ls.data.Dataset) -> float:
    """Per cent."""
    return 100 * (net(data.inputs).argmax(1) == data.y).float().mean().item()


def rows(part: str, seed: int, weight: float) -> Iterator[Row]:
    """One row per trained network."""
    splits = digits(seed, TRAIN[part])
    place, build = (turned, rotation_net) if part == "turns" else (in_quadrant, grid_net)
    for task in TASKS[part]:
        data, test = (place(split, task, 2 * seed + k) for k, split in enumerate(splits))
        for name in NETS[part]:
            torch.manual_seed(seed)
            start = time.process_time()
            net = build(name, data.classes)
            trained(net, data, STEPS[part], seed, RATES[part], weight)
            row = {"task": task, "net": name, "seed": seed, "accuracy": accuracy(net, test)}
            row["train"] = accuracy(net, data)
            row["shares"] = shares(net)
            row["parameters"] = sum(p.numel() for p in net.parameters() if p.requires_grad)
            yield row | {"seconds": time.process_time() - start}


def shares(net: nn.Module) -> list[float]:
    """The symmetric share of each layer that reports one for all elements, in order."""
    found = [d for d in ls.degrees(net) if d.generator in ("equivariant share",) or "translations" in d.generator]
    return [round(d.estimate, 4) for d in found]


def over_seeds(values: Sequence[float] | np.ndarray) -> str:
    """Mean and Student's 95 % interval over seeds."""
    mean, error = np.mean(values), np.std(values, ddof=1) / len(values) ** 0.5
    half = student.ppf(0.975, len(values) - 1) * error
    return f"{mean:.1f} [{mean - half:.1f}, {mean + half:.1f}]"


def lines_of(found: list[Row], part: str) -> Iterator[str]:
    """Accuracy of each network, its difference from the better of the two ends, and symmetric shares."""
    ends = ("exact", "plain") if part == "turns" else ("conv", "fc")
    yield "| task | network | parameters | accuracy | train | minus the better end | symmetric share by layer |"
    yield "|---|---|---|---|---|---|---|"
    for task in TASKS[part]:
        cells = {name: [row for row in found if (row["task"], row["net"]) == (task, name)] for name in NETS[part]}
        values = {name: np.array([row["accuracy"] for row in cell]) for name, cell in cells.items()}
        better = max(ends, key=lambda name: values[name].mean())
        for name, cell in cells.items():
            by_layer = np.mean([row["shares"] for row in cell], 0)
            yield " | ".join(
                (
                    f"| {task}",
                    name,
                    f"{cell[0]['parameters']:,}",
                    over_seeds(values[name]),
                    f"{np.mean([row['train'] for row in cell]):.1f}",
                    "-" if name == better else over_seeds(values[name] - values[better]),
                    " ".join(f"{share:.2f}" for share in by_layer) + " |",
                )
            )


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    arms = "\n".join(f"arms of {part}: {'; '.join(nets)}" for part, nets in NETS.items())
    parser = argparse.ArgumentParser(description=__doc__, epilog=arms, formatter_class=form)
    parser.add_argument("--part", choices=tuple(TASKS), default="turns")
    parser.add_argument("--out", type=Path, default=Path("runs/residual_pathway"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="at least 2")
    parser.add_argument("--weight", type=float, help="of the priors, 1 is Bayes' rule; 0.01 or 0.0001 by default")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    weight = WEIGHTS[arguments.part] if arguments.weight is None else arguments.weight
    found: list[Row] = []
    for seed in arguments.seeds:
        for row in rows(arguments.part, seed, weight):
            print(json.dumps(row), flush=True)
            found.append(row)
    lines = [*lines_of(found, arguments.part), f"{len(found)} networks, {time.process_time():.0f} s of CPU"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    for suffix, content in (("jsonl", map(json.dumps, found)), ("txt", lines)):
        (arguments.out / f"{arguments.part}.{suffix}").write_text("\n".join(content) + "\n")
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
