"""The level and the power of the closure test: p-values on data sets that are closed, and on some that are not.

    python experiments/how_sure/closure.py --replicates 400

Ellipses at every angle are closed under all rotations and mirrors. Where a quarter of them keeps to angles between 10°
and 100°, the law is closed under none of the elements here; an eighth as many replicates show the power. An eighth of a
turn and the mirror at 22.5° are off the lattice of pixels, a quarter turn and the mirror at 0° are on it.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from learnsym.actions import Image
from learnsym.groups import Cyclic, Dihedral
from learnsym.measure import closure_test
from learnsym.symmetry import Symmetry

SIZE, LEVELS = 12, (0.05, 0.01)
LAWS = {"closed": 0.0, "a quarter at 10° to 100°": 0.25}
"""The share of examples that keep to a range of angles."""
TURNS, MIRRORS = (Symmetry(group, Image()) for group in (Cyclic(8), Dihedral(8)))
FLIPS = [g for g in MIRRORS.group.components if torch.det(g) < 0]
ELEMENTS = {
    "quarter turn (on the lattice)": (TURNS, TURNS.group.components[2]),
    "eighth turn (off the lattice)": (TURNS, TURNS.group.components[1]),
    "mirror at 0° (on the lattice)": (MIRRORS, next(g for g in FLIPS if torch.equal(g, g.round()))),
    "mirror at 22.5° (off the lattice)": (
        MIRRORS,
        next(g for g in FLIPS if not torch.allclose(g, g.round(), atol=0.1)),
    ),
}


class Small(nn.Module):
    """One hidden layer on what a disc shows: a network that 400 replicates can afford, and that learns by heart."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(SIZE**2, 32), nn.GELU(), nn.Linear(32, bins))

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the bins."""
        side = torch.linspace(-1, 1, SIZE)
        return self.layers(x * (side.square() + side[:, None].square() < 0.67))


def ellipses(count: int, share: float) -> Tensor:
    """Ellipses about the middle with noise, at every angle but for a share of them."""
    keeps = torch.rand(count, 1, 1) < share
    angle = torch.deg2rad(torch.where(keeps, 10 + 90 * torch.rand(count, 1, 1), 180 * torch.rand(count, 1, 1)))
    long, ratio = 1.2 + torch.rand(count, 1, 1), 0.4 + 0.4 * torch.rand(count, 1, 1)
    right, up = torch.arange(SIZE) - (SIZE - 1) / 2, (SIZE - 1) / 2 - torch.arange(SIZE)[:, None]
    u, v = right * angle.cos() + up * angle.sin(), up * angle.cos() - right * angle.sin()
    bright = torch.exp(-0.5 * (u / long).square() - 0.5 * (v / (long * ratio)).square())
    return (bright + 0.02 * torch.randn(count, SIZE, SIZE))[:, None]


def p_values(element: str, share: float, replicates: int, options: argparse.Namespace) -> list[float]:
    """The p-values of replicates, each a data set of its own."""
    found = []
    symmetry, g = ELEMENTS[element]
    for seed in range(replicates):
        torch.manual_seed(seed)
        x = ellipses(options.examples, share)
        found.append(closure_test(x, symmetry, g, network=Small, steps=options.steps, seed=seed).p_value)
    return found


def row(element: str, law: str, p: list[float], seconds: float) -> dict[str, object]:
    """One line of the table: shares of p-values below each level, with the standard error of the first."""
    shares = {str(level): sum(value < level for value in p) / len(p) for level in LEVELS}
    share = shares[str(LEVELS[0])]
    stderr = math.sqrt(share * (1 - share) / len(p))
    found = {"shares": shares, "stderr": stderr, "replicates": len(p), "seconds": seconds, "p": p}
    return {"element": element, "law": law, **found}


def table(rows: list[dict]) -> str:
    """The rows as a table in markdown."""
    head = ["element", "law of the data", *(f"P(p < {level})" for level in LEVELS), "replicates"]
    lines = [head, ["---"] * len(head)]
    for each in rows:
        shares = [f"{each['shares'][str(level)]:.3f}" for level in LEVELS]
        shares[0] += f" ± {each['stderr']:.3f}"
        lines.append([each["element"], each["law"], *shares, str(each["replicates"])])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    rows = []
    for law, share in LAWS.items():
        replicates = options.replicates if share == 0 else max(options.replicates // 8, 1)
        for element in ELEMENTS:
            start = time.perf_counter()
            p = p_values(element, share, replicates, options)
            rows.append(row(element, law, p, time.perf_counter() - start))
            options.out.write_text(json.dumps(rows, indent=1))
    print(table(rows))


if __name__ == "__main__":
    main()
