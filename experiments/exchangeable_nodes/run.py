"""Exchangeable nodes: sets of points with a mask in which all, some or no positions have one law, and who finds out.

python experiments/exchangeable_nodes/run.py --out runs/exchangeable_nodes
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors, Set
from learnsym.data import Ragged
from learnsym.objectives import Regularised, Supervised, mse
from learnsym.objectives.terms import Prior
from learnsym.parts import chosen
from learnsym.relax.points import NodeIdentifiers, OneHotIdentifiers

STRENGTHS = {"all": [1.0] * 5, "some": [1.0, 1.0, 1.0, -1.0, -1.0], "none": [-2.0, -1.0, 0.0, 1.0, 2.0]}
CLASSES = {"all": [[0, 1, 2, 3, 4]], "some": [[0, 1, 2], [3, 4]], "none": [[0], [1], [2], [3], [4]]}
TWINS = ("learned", "plain", "exact")
NODES = ls.Symmetry(ls.groups.Permutation(5), Set(), Set())
HELD_OUT, BATCH = 1000, 64


def planted(kind: str, count: int, seed: int) -> tuple[Ragged, Ragged]:
    """Points, of which a fifth is not there, and `F_i = Σ_j q_j (x_j - x_i) exp(-|x_j - x_i|² / 2)` with noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 5, 3, generator=generator)
    mask = torch.rand(count, 5, generator=generator) < 0.8
    mask[:, :2] |= ~mask.any(1, keepdim=True)
    apart = x[:, None] - x[:, :, None]
    weights = (-apart.square().sum(-1) / 2).exp() * (torch.tensor(STRENGTHS[kind]) * mask)[:, None]
    forces = (weights.unsqueeze(-1) * apart).sum(2) + 0.05 * torch.randn(x.shape, generator=generator)
    return Ragged(x, mask), Ragged(forces, mask)


def model(twin: str) -> nn.Module:
    """An E(3)-equivariant network that may tell positions apart, must, or cannot; `exact` starts like `learned`."""

    def make(types: PointCloud) -> nn.Module:
        return ls.nets.points.EGNN(types, PointVectors(), hidden=8, layers=1)

    if twin == "plain":
        return OneHotIdentifiers(make, PointCloud(), positions=5)
    learned = NodeIdentifiers(make, PointCloud(), positions=5, features=2)
    return learned if twin == "learned" else learned.exact()


def trained(twin: str, kind: str, count: int, steps: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net, (x, y) = model(twin), planted(kind, count, seed)
    batches = [(chosen(x, slice(i, i + BATCH)), chosen(y, slice(i, i + BATCH))) for i in range(0, count, BATCH)]
    objective = Regularised(Supervised(mse), [Prior(count)])
    optimiser = ls.training.OptimiserConfig(lr=1e-2)
    ls.training.fit(net, objective, batches, steps=steps, optimiser=optimiser, seed=seed)
    return net.eval()


def row(twin: str, kind: str, count: int, steps: int, seed: int) -> dict[str, Any]:
    """One training: the error on new sets, and the classes that its function shows on them."""
    net, (x, y) = trained(twin, kind, count, steps, seed), planted(kind, HELD_OUT, 1000 + seed)
    found = ls.measure.exchangeability(net, x, NODES)
    effects = {
        same: [float(found.effects[i, j]) for i in range(5) for j in range(i) if together(kind, i, j) is same]
        for same in (True, False)
    }
    return {
        "twin": twin,
        "kind": kind,
        "examples": count,
        "seed": seed,
        "error": float(Supervised(mse)(net, (x, y)).total.detach()),
        "classes": found.classes,
        "right": found.classes == CLASSES[kind],
        "settled": not found.undecided and not found.conflicts,
        "within": max(effects[True], default=None),
        "between": min(effects[False], default=None),
        "told apart": [degree.estimate for degree in ls.degrees(net)],
    }


def together(kind: str, i: int, j: int) -> bool:
    return any(i in each and j in each for each in CLASSES[kind])


def summary(rows: list[dict[str, Any]]) -> str:
    """One line of a kind, a number of examples and a twin, over seeds."""
    first = rows[0]
    error = ls.statistics.over_seeds([each["error"] for each in rows])
    ends = [max((r["within"] for r in rows if r["within"] is not None), default=None)]
    ends += [min((r["between"] for r in rows if r["between"] is not None), default=None)]
    within, between = ("-" if end is None else f"{end:.3f}" for end in ends)
    right, settled = (f"{sum(each[key] for each in rows)} of {len(rows)}" for key in ("right", "settled"))
    arm = f"{first['kind']:5s} {first['examples']:5d} {first['twin']:8s}"
    return f"{arm} {error!s:34s} {right:7s} {settled:7s} {within:6s} {between}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twins", nargs="+", choices=TWINS, default=list(TWINS))
    parser.add_argument("--examples", nargs="+", type=int, default=[64, 512])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("runs/exchangeable_nodes"))
    arguments = parser.parse_args()
    start, rows = time.perf_counter(), []
    print("kind  train twin     error on new sets                  right   settled within between")
    for kind in CLASSES:
        for count in arguments.examples:
            for twin in arguments.twins:
                some = [row(twin, kind, count, arguments.steps, seed) for seed in range(arguments.seeds)]
                print(summary(some), flush=True)
                rows += some
    arguments.out.mkdir(parents=True, exist_ok=True)
    result = {"seconds": time.perf_counter() - start, "rows": rows}
    (arguments.out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"{result['seconds']:.0f} s")


if __name__ == "__main__":
    main()
