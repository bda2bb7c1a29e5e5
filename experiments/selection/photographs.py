"""Do the laws that share a network harm one that ends up plain? CIFAR-10, examples taken from the training split.

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

IMAGES, DEVELOPMENT = (10_000, 30_000), 3_000
ARMS: dict[str, dict[str, Any]] = {
    "plain, 3000 steps": {"twin": "plain", "train": {"steps": 3000}},
    "plain, 2063 steps": {"twin": "plain", "train": {"steps": 2063}},
    "selection": {"chooser": {"name": "selection"}, "train": {"steps": 2744}},
}
"""Selection costs 1.09 plain steps a step, so that its 2,744 cost what 3,000 plain ones do."""
BEFORE = ("laws from the start, 0.05", "laws from the start, 0.2", "laws from the start, 0.45")
"""Arms of the code before, whose laws took turns from the first step, for so large a part; rows stay what they were."""


def configured(arm: str, images: int, seed: int) -> RunConfig:
    """A training of one arm; the twin plain needs no chooser."""
    own = ARMS[arm]
    return config_of(
        {
            "data": {
                "name": "cifar10-jpeg",
                "size": 16,
                "train": images + DEVELOPMENT,
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


def row(arm: str, images: int, seed: int) -> dict[str, Any]:
    """Accuracy in percent and loss in nats on the development examples, and what was chosen."""
    config = configured(arm, images, seed)
    whole = load_splits(config.data)
    held = whole.train.subset(torch.arange(images, len(whole.train)))
    splits = Splits(train=whole.train.subset(torch.arange(images)), val=whole.val, test=held)
    model, objective, _ = build_on(config, splits)
    batches = Batches(splits.train, config.train.batch_size, seed, torch.device("cpu"))
    fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    scores = evaluate(model, held, config.loss.function())
    chosen = model.names[model.chosen] if isinstance(model, Hypotheses) else ""
    found = {"chosen": chosen, "accuracy": 100 * scores["accuracy"], "loss": scores["task"]}
    return {"arm": arm, "images": images, "seed": seed, **found}


def table(rows: list[dict[str, Any]]) -> str:
    """Accuracy and loss by number of images, arm and seed."""
    seeds = sorted({r["seed"] for r in rows})
    lines = ["| images | arm | " + " | ".join(f"seed {seed}" for seed in seeds) + " |"]
    lines.append("|---" * (2 + len(seeds)) + "|")
    for images, arm in ((images, arm) for images in IMAGES for arm in (*ARMS, *BEFORE)):
        own = [r for r in rows if (r["arm"], r["images"]) == (arm, images)]
        cells = [_cell([r for r in own if r["seed"] == seed]) for seed in seeds]
        lines += [f"| {images:,} | {arm} | " + " | ".join(cells) + " |"] if own else []
    return "\n".join(lines)


def _cell(found: list[dict[str, Any]]) -> str:
    return ", ".join(f"{r['accuracy']:.1f} %, {r['loss']:.3f} {r['chosen']}".strip() for r in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12, 13])
    parser.add_argument("--images", type=int, nargs="+", choices=IMAGES, default=list(IMAGES), help="for training")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="what is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    planned = [(a, n, seed) for n in arguments.images for seed in arguments.seeds for a in arguments.arms]
    for key in planned:
        if not any((r["arm"], r["images"], r["seed"]) == key for r in rows):
            rows.append(row(*key))
            arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
