"""Shapes of adrenal glands: do rotations built into convolutions of volumes help, and does a learned degree keep it?

python experiments/adrenal_volumes/run.py --out runs/adrenal_volumes
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
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

import learnsym as ls
from learnsym.equivariant import FreeConv, SteerableConv
from learnsym.nets import ResNet3d, matched_width, parameter_count
from learnsym.relax import ResidualPathway

SIZE, WIDTH, BAND_LIMIT, BATCH, RATE = 9, 2, 2, 32, 5e-3
FREE_VARIANCE = 0.1
SPACE = ls.groups.Trivial(3, "space")
TURNS = ((2, 3), (2, 4), (3, 4))
Row = dict[str, Any]


def residual(*fields: Any, **options: Any) -> nn.Module:
    return ResidualPathway(SteerableConv(*fields, **options), free_variance=FREE_VARIANCE)


def steerable(group: ls.groups.Group, conv: Callable[..., Any] = SteerableConv) -> nn.Module:
    """As many channels with both groups: O(3) has two representations of each degree, and half the fields of each."""
    width = WIDTH // len(group.components)
    return ResNet3d(group, 1, 2, width=width, band_limit=BAND_LIMIT, size=SIZE, conv=conv)


def ordinary(width: int) -> nn.Module:
    return ResNet3d(SPACE, 1, 2, width=width, size=SIZE, conv=FreeConv)


def matched() -> nn.Module:
    wanted = parameter_count(steerable(ls.groups.SO3()))
    return ordinary(matched_width(ordinary, wanted, largest=64))


NETS: dict[str, Callable[[], nn.Module]] = {
    "plain": matched,
    "SO(3)": lambda: steerable(ls.groups.SO3()),
    "O(3)": lambda: steerable(ls.groups.O3()),
    "SO(3), residual pathway": lambda: steerable(ls.groups.SO3(), residual),
}


def trained(net: nn.Module, data: ls.data.Dataset, steps: int, seed: int) -> nn.Module:
    """Adam with a cosine decay; the loss with the prior of residual pathways, if there are any."""
    objective = ls.objectives.WithPrior(ls.objectives.cross_entropy, len(data))
    optimiser = ls.training.OptimiserConfig(lr=RATE, weight_decay=0.0)
    ls.training.fit(net, objective, ls.data.Batches(data, BATCH, seed), steps=steps, optimiser=optimiser, seed=seed)
    return net.eval()


@torch.no_grad()
def scores(net: nn.Module, x: Tensor) -> Tensor:
    """Log odds of the second class."""
    y = torch.cat([net(part) for part in x.split(100)])
    return y[:, 1] - y[:, 0]


def quality(net: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    odds = scores(net, x)
    accuracy = 100 * ((odds > 0) == (y > 0)).float().mean().item()
    return {"accuracy": accuracy, "auc": 100 * float(roc_auc_score(y.numpy(), odds.numpy()))}


def rows(names: Sequence[str], seed: int, steps: int) -> Iterator[Row]:
    """One row for each trained network."""
    splits = ls.data.load_splits(ls.data.DataConfig(name="adrenal", size=SIZE, seed=seed))
    test = splits.test.inputs
    turned = torch.cat([test.rot90(1, axes) for axes in TURNS])
    for name in names:
        torch.manual_seed(seed)
        start, net = time.process_time(), NETS[name]()
        trained(net, splits.train, steps, seed)
        row = {"net": name, "seed": seed, "parameters": parameter_count(net)} | quality(net, test, splits.test.y)
        row |= {f"{key} turned": v for key, v in quality(net, turned, splits.test.y.repeat(len(TURNS))).items()}
        row["shares"] = [round(degree.estimate, 4) for degree in ls.degrees(net)]
        yield row | {"seconds": time.process_time() - start}


def over_seeds(values: Sequence[float]) -> str:
    """Mean and Student's 95 % interval over seeds."""
    mean, error = np.mean(values), np.std(values, ddof=1) / len(values) ** 0.5
    half = student.ppf(0.975, len(values) - 1) * error
    return f"{mean:.1f} [{mean - half:.1f}, {mean + half:.1f}]"


def lines_of(found: list[Row]) -> Iterator[str]:
    columns = ("accuracy", "auc", "accuracy turned", "auc turned")
    yield "| network | parameters | accuracy | AUC | accuracy, turned | AUC, turned | equivariant share | CPU s |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in dict.fromkeys(row["net"] for row in found):
        cell = [row for row in found if row["net"] == name]
        shares = [np.mean(row["shares"]) for row in cell if row["shares"]]
        cells = [over_seeds([row[column] for row in cell]) for column in columns]
        cells.append(f"{np.mean(shares):.2f}" if shares else "-")
        cells.append(f"{np.mean([row['seconds'] for row in cell]):.0f}")
        yield f"| {name} | {cell[0]['parameters']:,} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS), help="which networks")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    found = []
    with open(options.out / "adrenal.jsonl", "w", encoding="utf8") as stream:
        for seed in range(options.seeds):
            for row in rows(options.nets, seed, options.steps):
                found.append(row)
                stream.write(json.dumps(row) + "\n")
                stream.flush()
                print(row, flush=True)
    text = "\n".join(lines_of(found)) + "\n"
    (options.out / "adrenal.txt").write_text(text, encoding="utf8")
    print(text)


if __name__ == "__main__":
    main()
