"""Digits turned by up to 60 degrees: selection beside training loss, held-out loss and fixed widths.

python experiments/selection/run.py --out experiments/selection/results.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from few import equal

from learnsym.data import Batches, load_splits
from learnsym.learners import degrees
from learnsym.objectives import SuccessiveHalving
from learnsym.statistics import over_seeds
from learnsym.training import build, fit
from learnsym.training.config_file import config_of
from learnsym.training.evaluate import evaluate

COPIES = 16
SIZES = ((50, 150), (450, 300))
"""Images, and a third of the steps of a plain training: every arm costs three times as many."""
COST = {"validation": 3.75}
"""Of a step, by chooser, in those of a plain training; that of selection depends on the steps, 1 of all others."""
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"twin": "plain"},
    **{f"fixed {w}": {"twin": "fixed", "method": {"fixed": {"rotation": float(w)}}} for w in (60, 180)},
    "training": {},
    "validation": {"chooser": {"name": "validation"}, "method": {"init": 0.7}},
    "selection": {"chooser": {"name": "selection"}},
    "affine2d, selection": {"chooser": {"name": "selection"}, "method": {"symmetry": "affine2d"}},
}


def row(arm: str, planted: float, images: int, steps: int, seed: int) -> dict[str, Any]:
    """Test accuracy of one training at equal compute, with what was chosen and what that cost."""
    own = ARMS[arm]
    length = round(3 * steps / COST.get(own.get("chooser", {}).get("name"), 1))
    config = config_of(
        {
            "data": {
                "name": "digits",
                "size": 14,
                "train": images,
                "val": 300,
                "test": 800,
                "plant": {"rotation": planted},
            },
            "net": {"name": "cnn", "width": 8, "depth": 2},
            "method": {"name": "augerino", "symmetry": "rotation2d", "test_copies": COPIES, **own.get("method", {})},
            "chooser": own.get("chooser", {"name": "training"}),
            "twin": own.get("twin", "learned"),
            "optimiser": {"lr": 1e-2},
            "train": {"steps": length, "batch_size": 32, "threads": 1, "device": "cpu"},
            "seeds": [seed],
        }
    )
    if own.get("chooser", {}).get("name") == "selection":
        config = equal(config, load_splits(config.data))
    model, objective, splits = build(config)
    batches = Batches(splits.train, 32, seed, torch.device("cpu"))
    fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    scores = evaluate(model, splits.test, config.loss.function())
    learned = degrees(model)
    turns = [(d.estimate, d.low, d.high) for d in learned if d.generator == "rotation"]
    passes = float(objective.passes) / steps if isinstance(objective, SuccessiveHalving) else None
    key = {"arm": arm, "planted": planted, "images": images, "steps": steps, "seed": seed}
    return {**key, "accuracy": 100 * scores["accuracy"], "loss": scores["task"], "rotation": turns, "trainings": passes}


def table(rows: list[dict[str, Any]]) -> str:
    """Mean accuracy by arm and cell, with 90 % intervals over seeds."""
    cells = sorted({(r["planted"], r["images"], r["steps"]) for r in rows})
    lines = ["| arm | " + " | ".join(f"{p:g}°, {n} images, 3 x {s} steps" for p, n, s in cells) + " |"]
    lines.append("|---|" + "---|" * len(cells))
    for arm in ARMS:
        values = [
            [r["accuracy"] for r in rows if (r["arm"], r["planted"], r["images"], r["steps"]) == (arm, *c)]
            for c in cells
        ]
        lines.append(f"| {arm} | " + " | ".join(_cell(v) for v in values) + " |")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    if len(values) < 2:
        return " ".join(f"{value:.1f}" for value in values)
    interval = over_seeds(values)
    return f"{sum(values) / len(values):.1f} [{interval.low:.1f}, {interval.high:.1f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="what is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    done = {tuple(r[k] for k in ("arm", "planted", "images", "steps", "seed")) for r in rows}
    planned = [
        (arm, p, n, s, seed)
        for arm in arguments.arms
        for p in (60.0, 0.0)
        for n, s in SIZES
        for seed in arguments.seeds
    ]
    for key in planned:
        if key not in done:
            rows.append(row(*key))
            arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
