"""Partial group convolution: which rotations should a digit classifier ignore, layer by layer?

python experiments/partial_group_convolution/run.py --out runs/partial_group_convolution
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from scipy.stats import t as student
from torch import Tensor, nn

import learnsym as ls
from learnsym.groups import Cyclic
from learnsym.relax import LearnedArc, LearnedElements, PartialGroupConv, PartialMean

WIDTH, BATCH, DEPTH_WEIGHT = 32, 32, 1e-3
OPTIMISER = ls.training.OptimiserConfig(lr=3e-3, symmetry_lr=3e-2, weight_decay=0.0)
KINDS = ("plain", "plain narrow", "full", "partial arc", "partial elements")
TASKS = {"6 and its half turn": (400, 1000, 300), "rotated digits": (2000, 2000, 1000)}
"""Training images, test images and steps."""
Pairs = tuple[Tensor, Tensor]


def network(kind: str, classes: int, order: int = 8) -> nn.Module:
    """A lifting layer, two group layers and the mean over rotations: `WIDTH` channels, 8 for the narrow plain one."""
    group = Cyclic(1 if "plain" in kind else order)
    fields = (8 if kind == "plain narrow" else WIDTH) // len(group.components)
    part = {"partial arc": LearnedArc, "partial elements": LearnedElements}.get(kind)
    if part is None:
        return ls.nets.GroupCNN(group, 1, classes, fields)
    return ls.nets.GroupCNN(
        group,
        1,
        classes,
        fields,
        relaxed=lambda conv: PartialGroupConv(conv, part(conv.in_type)),
        mean=lambda field_type: PartialMean(field_type, part(field_type)),
    )


def digits(split: str, count: int, seed: int, only: int | None) -> Pairs:
    """MNIST at half the resolution, drawn without replacement."""
    sizes = ls.data.Sizes(54000, 6000, 10000)
    pool = ls.data.source_by_name("mnist").read(sizes, 0)[split]
    chosen = torch.arange(len(pool)) if only is None else (pool.y == only).nonzero()[:, 0]
    chosen = chosen[torch.randperm(len(chosen), generator=torch.Generator().manual_seed(seed))[:count]]
    return nn.functional.avg_pool2d(pool.x[chosen].float() / 255, 2), pool.y[chosen]


def task(name: str, split: str, count: int, seed: int) -> Pairs:
    """`6` against `6` turned by 180°, or ten digits turned by any angle."""
    random = torch.Generator().manual_seed(77 + seed)
    if name == "rotated digits":
        x, y = digits(split, count, seed, None)
        angle = 2 * torch.pi * torch.rand(len(x), 1, generator=random)
        return ls.actions.warp(x, ls.groups.SO2().exp(angle)), y
    x, _ = digits(split, count, seed, 6)
    y = torch.arange(len(x)) % 2
    return torch.where(y.bool()[:, None, None, None], x.rot90(2, (2, 3)), x), y


def trained(kind: str, data: Pairs, classes: int, steps: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net = network(kind, classes)
    task = ls.objectives.Supervised(ls.objectives.cross_entropy)
    objective = ls.objectives.Regularised(task, [ls.objectives.terms.IncreaseAlongDepth(DEPTH_WEIGHT)])
    batches = ls.data.Batches(ls.data.Dataset(*data, classes=classes), BATCH, seed)
    ls.training.fit(net, objective, batches, steps=steps, optimiser=OPTIMISER, seed=seed)
    return net.eval()


def run(kind: str, name: str, seed: int) -> dict[str, Any]:
    train_count, test_count, steps = TASKS[name]
    train, test = task(name, "train", train_count, seed), task(name, "test", test_count, 100)
    begun = time.perf_counter()
    net = trained(kind, train, 10 if name == "rotated digits" else 2, steps, seed)
    seconds = time.perf_counter() - begun
    with torch.no_grad():
        accuracy = float((net(test[0]).argmax(1) == test[1]).double().mean())
        plain = (ls.relax.plain_twin(net)(test[0]) - net(test[0])).abs().max().item()
    error = ls.measure.equivariance_error(net, test[0][:128], ls.symmetry.quarter_turns2d()).mean
    found = {f"{degree.site} {degree.generator}": degree.estimate for degree in ls.degrees(net)}
    own = {"task": name, "kind": kind, "seed": seed, "accuracy": 100 * accuracy, "quarter turns": error}
    weights = sum(p.numel() for p in net.parameters())
    return {**own, "weights": weights, "seconds": seconds, "plain twin": plain, "degrees": found}


def interval(values: list[float]) -> str:
    """Mean and half-width of Student's 90 % interval over seeds."""
    x = torch.tensor(values, dtype=torch.float64)
    half = float(student.ppf(0.95, len(x) - 1)) * float(x.std()) / len(x) ** 0.5 if len(x) > 1 else float("nan")
    return f"{float(x.mean()):.2f} ± {half:.2f}"


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| task | network | weights | accuracy, % | error of quarter turns | learned ranges, by layer |",
        "|" + "---|" * 6,
    ]
    for name in TASKS:
        for kind in KINDS:
            own = [row for row in rows if (row["task"], row["kind"]) == (name, kind)]
            if own:
                cells = " | ".join(interval([row[key] for row in own]) for key in ("accuracy", "quarter turns"))
                lines.append(f"| {name} | {kind} | {own[0]['weights']} | {cells} | {ranges_shown(own)} |")
    return "\n".join(lines)


def ranges_shown(rows: list[dict[str, Any]]) -> str:
    """Means over seeds: half-widths in degrees, or for each layer the mean probability of the elements."""
    sites: dict[str, list[float]] = {}
    for row in rows:
        for key, value in row["degrees"].items():
            sites.setdefault(key.split()[0], []).append(value)
    return ", ".join(f"{torch.tensor(values).mean().item():.3g}" for values in sites.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/partial_group_convolution"), help="folder for results")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="which networks")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), help="which tasks")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in options.tasks:
        for kind in options.kinds:
            for seed in range(options.seeds):
                rows.append(run(kind, name, seed))
                print(rows[-1], flush=True)
                (options.out / "rows.json").write_text(json.dumps(rows, indent=1) + "\n")
    (options.out / "table.md").write_text(table(rows) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
