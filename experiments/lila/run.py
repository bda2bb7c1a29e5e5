"""MNIST turned by a known range, 1,000 images: is the range found by the evidence of the training examples alone?

python experiments/lila/run.py --out experiments/lila/results.json
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn

from learnsym.data import Batches
from learnsym.learners import degrees
from learnsym.objectives import LaplaceEvidence, Supervised
from learnsym.statistics import over_seeds
from learnsym.training import build, fit
from learnsym.training.config_file import config_of
from learnsym.training.evaluate import evaluate

PLANTED = (0.0, 90.0, 180.0)
STEPS, BATCH = 600, 50
LOOKS = 54
"""At a network that was trained without the evidence: as many as there are in the training of the arm `evidence`."""
EVIDENCE = {"chooser": {"name": "marginal_likelihood"}}
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"twin": "plain"},
    "training": {},
    "evidence": EVIDENCE,
    "evidence, affine2d": {**EVIDENCE, "method": {"symmetry": "affine2d"}},
}


def row(arm: str, planted: float, seed: int) -> dict[str, Any]:
    """Test accuracy, and all widths as shares of their caps, of one training."""
    own = ARMS[arm]
    config = config_of(
        {
            "data": {
                "name": "mnist",
                "size": 14,
                "train": 1000,
                "val": 100,
                "test": 2000,
                "plant": {"rotation": planted},
            },
            "net": {"name": "cnn", "width": 8, "depth": 2},
            "method": {"name": "augerino", "symmetry": "rotation2d", **own.get("method", {})},
            "chooser": own.get("chooser", {"name": "training"}),
            "twin": own.get("twin", "learned"),
            "optimiser": {"lr": 5e-3, "symmetry_lr": 0.1},
            "train": {"steps": STEPS, "batch_size": BATCH, "threads": 1, "device": "cpu"},
            "seeds": [seed],
        }
    )
    model, objective, splits = build(config)
    batches = Batches(splits.train, BATCH, seed, torch.device("cpu"))
    history = fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    scores, learned = evaluate(model, splits.test, config.loss.function()), degrees(model)
    evidence = history.records[-1].get("log_evidence")
    if arm == "training":
        torch.manual_seed(seed)
        evidence = log_evidence(model, LaplaceEvidence(Supervised(config.loss.function()), 1000, every=1), batches)
    group = config.method.varied()
    known = {generator.name: generator for generator in group.generators} if group else {}
    return {
        "arm": arm,
        "planted": planted,
        "seed": seed,
        "accuracy": 100 * scores["accuracy"],
        "loss": scores["task"],
        "widths": {degree.generator: degree.estimate for degree in learned},
        "shares": {d.generator: d.estimate * known[d.generator].per_unit / known[d.generator].cap for d in learned},
        "log_evidence": evidence,
    }


def log_evidence(model: nn.Module, objective: LaplaceEvidence, batches: Batches) -> float:
    """Of the training images, per image, at weights and laws that stay, after looks that fit the precisions to them."""
    model.train()
    for step in range(LOOKS):
        found = objective(model, batches[step]).parts["log_evidence"]
    return float(found)


def table(rows: list[dict[str, Any]]) -> str:
    """Rotation, the largest share of any other generator, and accuracy, by arm and planted range."""
    lines = ["| planted | arm | rotation | largest other, share of its cap | accuracy | log evidence per image |"]
    lines.append("|---|---|---|---|---|---|")
    for planted in PLANTED:
        for arm in ARMS:
            found = [each for each in rows if (each["planted"], each["arm"]) == (planted, arm)]
            if found:
                lines.append(f"| {planted:g}° | {arm} | " + " | ".join(_cells(found)) + " |")
    return "\n".join(lines)


def _cells(rows: list[dict[str, Any]]) -> list[str]:
    turns = [each["widths"]["rotation"] for each in rows if each["widths"]]
    others = [max((s for g, s in each["shares"].items() if g != "rotation"), default=None) for each in rows]
    largest = [share for share in others if share is not None]
    evidence = [each["log_evidence"] for each in rows if each["log_evidence"] is not None]
    accuracy = [each["accuracy"] for each in rows]
    return [
        _over(turns, "{:.0f}", 0, 180),
        _over(largest, "{:.2f}", 0, 1),
        _over(accuracy, "{:.1f}", 0, 100),
        _over(evidence, "{:.2f}"),
    ]


def _over(values: list[float], form: str, least: float = -math.inf, most: float = math.inf) -> str:
    """The mean with its interval, as far as such values can be."""
    if not values:
        return ""
    mean = form.format(sum(values) / len(values))
    if len(values) < 2:
        return mean
    interval = over_seeds(values).clipped(least, most)
    return f"{mean} [{form.format(interval.low)}, {form.format(interval.high)}]"


def main() -> None:
    """Train what is not there yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="what is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    done = {(each["arm"], each["planted"], each["seed"]) for each in rows}
    for seed in arguments.seeds:
        for planted in PLANTED:
            for arm in arguments.arms:
                if (arm, planted, seed) not in done:
                    rows.append(row(arm, planted, seed))
                    arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
