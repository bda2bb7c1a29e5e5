"""One linear layer whose truth is known: a convolution, or a free map. Which path does the evidence keep?

python experiments/layerwise_equivariance/planted.py --out experiments/layerwise_equivariance/results/planted.json
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.objectives import LaplaceEvidence, Supervised, mse
from learnsym.objectives.marginal_likelihood.likelihoods import NormalNoise
from learnsym.objectives.marginal_likelihood.precisions import Kept, MacKay
from learnsym.objectives.marginal_likelihood.whole import whole_evidence
from learnsym.relax import ConvMap, DenseMap, GridPathway

SIDE, TRAIN, TEST, NOISE, STEPS, EVERY = 6, 100, 1000, 0.5, 400, 5
TRUTHS = {"convolution": ConvMap, "free map": DenseMap}
ARMS = {"conv": MacKay(), "fc": MacKay(), "fc+conv": MacKay(), "fc+conv, MAP": Kept()}


def layer(arm: str) -> nn.Module:
    free, conv = (kind(1, 1, SIDE) for kind in (DenseMap, ConvMap))
    return {"conv": conv, "fc": free}.get(arm, GridPathway(free, conv))


def planted(truth: nn.Module, count: int, noise: float) -> tuple[Tensor, Tensor]:
    """Normal images, and what the truth makes of them with noise."""
    x = torch.randn(count, 1, SIDE, SIDE)
    with torch.no_grad():
        return x, truth(x) + noise * torch.randn(count, 1, SIDE, SIDE)


def row(arm: str, task: str, seed: int) -> dict[str, Any]:
    """One training with its error on new images without noise, its log evidence, and the degree of its layer."""
    torch.manual_seed(seed)
    truth = TRUTHS[task](1, 1, SIDE)
    x, y = planted(truth, TRAIN, NOISE)
    net = nn.Sequential(layer(arm))
    objective = LaplaceEvidence(Supervised(mse), TRAIN, batch=TRAIN, every=EVERY, precisions=ARMS[arm])
    optimiser = ls.training.OptimiserConfig(lr=0.03, weight_decay=0.0)
    ls.training.fit(net, objective, [(x, y)], steps=STEPS, optimiser=optimiser, seed=seed)
    new_x, new_y = planted(truth, TEST, 0.0)
    precisions = {name: torch.tensor(delta, dtype=torch.double) for name, delta in objective.precisions().items()}
    likelihood = NormalNoise(float(objective.kept["variance"]))
    with torch.no_grad():
        error = float((net(new_x) - new_y).square().mean())
    return {
        "arm": arm,
        "task": task,
        "seed": seed,
        "error": error,
        "log_evidence": float(whole_evidence(net, precisions, x, y, likelihood).total) / TRAIN,
        "noise": likelihood.variance**0.5,
        "precisions": objective.precisions(),
        "share": next((degree.estimate for degree in ls.degrees(objective, root="loss")), None),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """By truth and arm, over seeds."""
    lines = ["| truth | arm | error on new images | log evidence per image | share of the convolution |"]
    lines.append("|---|---|---|---|---|")
    for task in TRUTHS:
        for arm in ARMS:
            found = [each for each in rows if (each["task"], each["arm"]) == (task, arm)]
            cells = [over([each[key] for each in found], *ends) for key, ends in SHOWN.items()]
            lines.append(f"| {task} | {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


SHOWN = {"error": (0, math.inf), "log_evidence": (-math.inf, math.inf), "share": (0, 1)}
"""What the table has, and what such numbers can be."""


def over(values: list[Any], least: float, most: float) -> str:
    """The mean with its interval over seeds."""
    if not values or None in values:
        return ""
    interval = ls.statistics.over_seeds(values).clipped(least, most) if len(values) > 1 else None
    shown = "" if interval is None else f" [{interval.low:.3g}, {interval.high:.3g}]"
    return f"{sum(values) / len(values):.3g}{shown}"


def main() -> None:
    """Train all, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="what is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = [row(arm, task, seed) for seed in arguments.seeds for task in TRUTHS for arm in arguments.arms]
    arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
