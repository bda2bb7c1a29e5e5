"""How often a 90 % interval around the equivariance error covers the error over all examples.

    python experiments/how_sure/equivariance_error.py --replicates 400

For each of four networks the truth is the error over many examples; each replicate measures a few new ones. Student's
interval and that by the bootstrap are counted, beside one that holds the unit of the error fixed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.statistics import Estimate, bootstrap_interval, student_interval

MANY = 20_000
SYMMETRY = ls.symmetry.quarter_turns2d()


class Invariant(nn.Module):
    """The mean of an image, and a little of a network that is not invariant."""

    def __init__(self) -> None:
        super().__init__()
        self.rest = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))

    def forward(self, x: Tensor) -> Tensor:
        return 20 * x.mean((2, 3)) + 0.2 * self.rest(x)


class HeavyTails(nn.Module):
    """Outputs that are large for a few examples: the hyperbolic sine of normal ones."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(36, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.flatten(1)).sinh()


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 3)),
    "nearly invariant": Invariant,
    "convolutions": lambda: nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ),
    "heavy tails": HeavyTails,
}


def images(count: int, seed: int) -> Tensor:
    """Images of noise whose contrast differs from one to the next."""
    generator = torch.Generator().manual_seed(seed)
    contrast = 0.5 + torch.rand(count, 1, 1, 1, generator=generator)
    return contrast * torch.randn(count, 1, 6, 6, generator=generator)


def coverage(name: str, replicates: int, examples: int, bootstrap: int = 499) -> dict[str, float | str | int]:
    """The share of replicates whose interval covers the truth, and how long standard errors are."""
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    truth = error_of(network, MANY, 10**6).mean
    found = [error_of(network, examples, seed) for seed in range(replicates)]
    held_fixed = [Estimate.of(one.per_sample) for one in found]
    means = torch.tensor([one.mean for one in found], dtype=torch.float64)
    stderr = sum(one.stderr for one in found) / replicates
    return {
        "network": name,
        "examples": examples,
        "truth": truth,
        "student": share(truth, [student_interval(one).ends for one in found]),
        "bootstrap": share(truth, [bootstrap_interval(one, replicates=bootstrap).ends for one in found]),
        "unit held fixed": share(truth, [student_interval(one).ends for one in held_fixed]),
        "standard error over spread": stderr / float(means.std()),
    }


def error_of(network: nn.Module, count: int, seed: int) -> Estimate:
    """The equivariance error over new examples."""
    return ls.measure.equivariance_error(network, images(count, seed), SYMMETRY, samples=4, seed=seed, batch_size=4096)


def share(truth: float, intervals: list[tuple[float, float]]) -> float:
    """How many intervals hold the truth."""
    return sum(low <= truth <= high for low, high in intervals) / len(intervals)


def table(rows: list[dict[str, float | str | int]]) -> str:
    """As markdown."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    for row in rows:
        cells = (f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values())
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()
    start = time.perf_counter()
    rows = [coverage(name, arguments.replicates, arguments.examples) for name in NETWORKS]
    written = {"replicates": arguments.replicates, "seconds": round(time.perf_counter() - start, 1), "rows": rows}
    arguments.out.write_text(json.dumps(written, indent=1) + "\n", encoding="utf8")
    print(table(rows))


if __name__ == "__main__":
    main()
