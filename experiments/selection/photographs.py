"""Does the warm-up on mixed laws harm a network that ends up plain? CIFAR-10, examples taken from the training split.

python experiments/selection/photographs.py --out experiments/selection/photographs.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from learnsym.augment import Hypotheses
from learnsym.data import Batches, Splits, load_splits
from learnsym.training import RunConfig, fit
from learnsym.training.build import build_on
from learnsym.training.config_file import config_of
from learnsym.training.evaluate import evaluate

IMAGES, DEVELOPMENT = 10_000, 3_000
ARMS: dict[str, dict[str, Any]] = {
    "plain, 3000 steps": {"twin": "plain", "train": {"steps": 3000}},
    "plain, 2063 steps": {"twin": "plain", "train": {"steps": 2063}},
    "selection": {"chooser": {"name": "selection"}, "train": {"steps": 2744}},
    "selection, warm-up 0.05": {"chooser": {"name": "selection", "warmup": 0.05}, "train": {"steps": 2744}},
}
"""Selection costs 1.09 plain steps a step, so that its 2,744 cost what 3,000 plain ones do."""


def configured(arm: str, seed: int) -> RunConfig:
    """A training of one arm; the twin plain needs no chooser."""
    own = ARMS[arm]
    return config_of(
        {
            "data": {
                "name": "cifar10-jpeg",
                "size": 16,
                "train": IMAGES + DEVELOPMENT,
                "val": 1000,
                "test": 500,
                "seed": seed,
            },
            "net": {"name": "cnn", "width": 16, "depth": 2},
            "method": {"name": "augerino", "symmetry": "affine2d", "test_copies": 4},
            "chooser": own.get("chooser", {"name": "training"}),
            "twin": own.get("twin", "learned"),
            "optimiser": {"lr": 3e-3},
            "train": {"batch_size": 64, "threads": 1, "device": "cpu", **own["train"]},
            "seeds": [seed],
        }
    )


def row(arm: str, seed: int) -> dict[str, Any]:
    """Accuracy in percent and loss in nats on the development examples, and what was chosen."""
    config = configured(arm, seed)
    whole = load_splits(config.data)
    held = whole.train.subset(torch.arange(IMAGES, len(whole.train)))
    splits = Splits(train=whole.train.subset(torch.arange(IMAGES)), val=whole.val, test=held)
    model, objective, _ = build_on(config, splits)
    batches = Batches(splits.train, config.train.batch_size, seed, torch.device("cpu"))
    fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    scores = evaluate(model, held, config.loss.function())
    chosen = model.names[model.chosen] if isinstance(model, Hypotheses) else ""
    return {"arm": arm, "seed": seed, "chosen": chosen, "accuracy": 100 * scores["accuracy"], "loss": scores["task"]}


def table(rows: list[dict[str, Any]]) -> str:
    """Accuracy and loss by arm and seed."""
    seeds = sorted({r["seed"] for r in rows})
    lines = ["| arm | " + " | ".join(f"seed {seed}" for seed in seeds) + " |", "|---" * (1 + len(seeds)) + "|"]
    for arm in ARMS:
        cells = [_cell([r for r in rows if (r["arm"], r["seed"]) == (arm, seed)]) for seed in seeds]
        lines.append(f"| {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(found: list[dict[str, Any]]) -> str:
    return ", ".join(f"{r['accuracy']:.1f} %, {r['loss']:.3f} {r['chosen']}".strip() for r in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12, 13])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="what is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for seed in arguments.seeds:
        for arm in arguments.arms:
            if not any((r["arm"], r["seed"]) == (arm, seed) for r in rows):
                rows.append(row(arm, seed))
                arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
