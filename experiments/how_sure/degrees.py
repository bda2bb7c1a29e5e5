"""Coverage of held-out posteriors of degrees: how often the interval holds the averaging that is best on all examples.

    python experiments/how_sure/degrees.py --replicates 80

One network a row, on digits turned by up to a planted range and trained with copies turned by up to another. The best
half-width on 3,000 held-out digits stands for the truth; each replicate sees some of them.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import learnsym as ls
from learnsym.posterior import HeldOutLikelihood, held_out_likelihood, posterior_of

ROTATION = ls.symmetry_by_name("rotation2d")
ROWS = ((0.0, 0.0), (45.0, 45.0), (90.0, 30.0), (180.0, 180.0))
EXAMPLES, STEPS, POOL = (100, 300), 600, 3000


def digits(split: str, half_width: float, seed: int) -> ls.data.Dataset:
    """MNIST at 14 pixels, turned by up to a half-width in degrees."""
    data = ls.data.load("mnist", split, ls.data.DataConfig(name="mnist", train=POOL, test=POOL))
    x, _ = data.batch(torch.arange(len(data)))
    a = math.radians(half_width) * (2 * torch.rand(len(x), 1, generator=torch.Generator().manual_seed(seed)) - 1)
    turned = ROTATION.on_input(ROTATION.group.exp(a), F.avg_pool2d(x, 2))
    return ls.data.Dataset(turned, data.y, classes=10)


def trained(data: ls.data.Dataset, half_width: float) -> nn.Module:
    """A small network, trained with one random copy of each example."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 10))
    model = ls.augment.Augmented(net, ROTATION, ls.augment.fixed(ROTATION.group, {"rotation": half_width}))
    ls.training.fit(model, ls.objectives.Supervised(F.cross_entropy), ls.data.Batches(data, 64), steps=STEPS)
    return net


def row(planted: float, copies: float, replicates: int) -> list[dict[str, float]]:
    """Coverage with each number of held-out examples."""
    start, pool = time.perf_counter(), digits("test", planted, 1)
    net = trained(digits("train", planted, 0), copies)
    likelihood = held_out_likelihood(net, pool.inputs, pool.y, ROTATION)
    s = torch.linspace(0, 1, 721, dtype=torch.float64)[:, None]
    best = 180 * float(s[likelihood(s).sum(1).argmax()])
    rows = []
    for examples in EXAMPLES:
        ends = [_interval(likelihood, examples, seed) for seed in range(replicates)]
        covered = sum(low - 1e-6 <= best <= high + 1e-6 for low, high in ends) / replicates
        width = float(torch.tensor([high - low for low, high in ends]).median())
        rows.append({"planted": planted, "copies": copies, "examples": examples, "best": best, "covered": covered})
        rows[-1] |= {"width": width, "replicates": replicates, "seconds": time.perf_counter() - start}
    return rows


def _interval(likelihood: HeldOutLikelihood, examples: int, seed: int) -> tuple[float, float]:
    chosen = torch.randperm(POOL, generator=torch.Generator().manual_seed(seed))[:examples]
    log_p: Tensor = likelihood.log_p[chosen]
    return posterior_of(replace(likelihood, log_p=log_p)).interval("rotation").ends


def table(rows: list[dict[str, float]]) -> str:
    """The rows in markdown."""
    lines = [
        ["planted", "trained with", "held-out examples", "best half-width", "covered", "median width"],
        ["---"] * 6,
    ]
    for r in rows:
        error = math.sqrt(r["covered"] * (1 - r["covered"]) / r["replicates"])
        cells = [f"{r['planted']:g}°", f"{r['copies']:g}°", f"{r['examples']:g}", f"{r['best']:.0f}°"]
        lines.append([*cells, f"{r['covered']:.2f} ± {error:.2f}", f"{r['width']:.0f}°"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Compute, write beside this file, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=80, help="subsets of held-out examples a cell")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [found for planted, copies in ROWS for found in row(planted, copies, options.replicates)]
    options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf8")
    print(table(rows))


if __name__ == "__main__":
    main()
