"""A rotation by itself, or with all others a little open? Digits turned by up to 60 degrees, each law alone.

python experiments/selection/beside.py --out experiments/selection/beside.json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from schedules import PLAIN, demonstration, scores

from learnsym.augment import Augmented, Hypotheses, fixed
from learnsym.data import Batches
from learnsym.symmetry import symmetry_by_name
from learnsym.training import fit
from learnsym.training.build import build_on

ANGLE = 60
SYMMETRY = symmetry_by_name("affine2d")
OTHERS = [each for each in SYMMETRY.group.generators if each.name != "rotation"]
SHIFTS = [each for each in OTHERS if each.name.startswith("translation")]
LAWS = {
    **{f"rotation {turn}": (turn, 0.0, OTHERS) for turn in (30, 60, 90, 180)},
    **{f"rotation {turn}, others 0.1": (turn, 0.1, OTHERS) for turn in (0, 30, 60, 90)},
    **{f"rotation {turn}, shifts 0.1": (turn, 0.1, SHIFTS) for turn in (30, 60)},
    "rotation 60, others 0.2": (60, 0.2, OTHERS),
}
"""The rotation in degrees, and the half-widths of others as parts of their caps."""


def row(name: str, seed: int) -> dict[str, Any]:
    """Accuracy in percent and loss in nats of a network that is trained on one law."""
    turn, share, others = LAWS[name]
    config, splits, _ = demonstration(ANGLE, seed)
    config = replace(config, train=replace(config.train, steps=PLAIN))
    model, objective, _ = build_on(config, splits)
    assert isinstance(model, Hypotheses)
    widths = {each.name: share * each.cap / each.per_unit for each in others}
    law = fixed(SYMMETRY.group, {"rotation": float(turn), **widths})
    net = Augmented(model.net, SYMMETRY, law, test_copies=model.test_copies)
    batches = Batches(splits.train, config.train.batch_size, seed, torch.device("cpu"))
    fit(net, objective.objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)  # type: ignore[arg-type]
    return {"law": name, "seed": seed, **scores(net, splits.test, config)}


def table(rows: list[dict[str, Any]]) -> str:
    """Accuracy and loss by law and seed."""
    seeds = sorted({r["seed"] for r in rows})
    lines = ["| law | " + " | ".join(f"seed {seed}" for seed in seeds) + " |", "|---" * (1 + len(seeds)) + "|"]
    for name in LAWS:
        found = {r["seed"]: f"{r['accuracy']:.1f} %, {r['loss']:.3f}" for r in rows if r["law"] == name}
        lines.append(f"| {name} | " + " | ".join(found.get(seed, "") for seed in seeds) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows; what is there already is not done again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[10])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for seed in arguments.seeds:
        for name in LAWS:
            if not any((r["law"], r["seed"]) == (name, seed) for r in rows):
                rows.append(row(name, seed))
                arguments.out.write_text(json.dumps(rows, indent=0))
    print(table(rows))


if __name__ == "__main__":
    main()
