"""The law of poses of rotated MNIST: planted uniform laws, laws with several modes, and coverage of the interval.

python experiments/augerino/rotated_mnist/pose.py --part uniform --out runs/rotated_mnist/pose-uniform.json
python experiments/augerino/rotated_mnist/pose.py --part modes --out runs/rotated_mnist/pose-modes.json
python experiments/augerino/rotated_mnist/pose.py --part coverage --out runs/rotated_mnist/pose-coverage.json
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from learnsym.data import DataConfig, PlantConfig, load_splits
from learnsym.measure import PosePosterior, pose_posterior
from learnsym.symmetry import rotation2d

HALF_WIDTHS = (0.0, 45.0, 90.0, 180.0)
SEEDS = (0, 1, 2)
MODES = {
    "C4": PlantConfig(law="atoms", angles=[0.0, 90.0, 180.0, 270.0]),
    "two atoms": PlantConfig(law="atoms", angles=[-60.0, 60.0]),
    "three atoms": PlantConfig(law="atoms", angles=[-60.0, 0.0, 60.0]),
    "45 or 45 + 180": PlantConfig(law="two_modes", rotation=45.0),
    "full circle": PlantConfig(rotation=180.0),
}
REPLICATES, FIRST_SEED = 20, 100


def inferred(data: str, plant: PlantConfig, examples: int, seed: int, steps: int) -> tuple[PosePosterior, float]:
    """The law of poses of a subset with a planted law, and the seconds that it took."""
    config = DataConfig(name=data, train=examples, val=1, test=1, plant=plant, seed=seed, size=28)
    x = load_splits(config).train.inputs
    start = time.perf_counter()
    return pose_posterior(x, rotation2d(), steps=steps, seed=seed), time.perf_counter() - start


def row(law: PosePosterior, seconds: float, **facts: float | int | str) -> dict[str, object]:
    """What one inference says."""
    tests = {f"p_closed_{turn}": law.closure(turn).p_value for turn in (45, 90, 180)}
    found = {"half_width": law.half_width, "low": law.low, "high": law.high, "order": law.order, "flat": law.is_flat}
    modes = {"modes": law.modes() if law.is_rejected or law.order > 1 else None, "flags": law.flags}
    return {**facts, **found, **modes, **tests, **law.facts, "seconds": seconds}


def rows(options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Results one by one."""
    shared = (options.examples,)
    if options.part == "uniform":
        for half_width in options.half_widths:
            for seed in SEEDS[: options.replicates]:
                found = inferred(options.data, PlantConfig(rotation=half_width), *shared, seed, options.steps)
                yield row(*found, planted=half_width, seed=seed)
    elif options.part == "modes":
        for name, plant in MODES.items():
            yield row(*inferred(options.data, plant, *shared, 0, options.steps), planted=name, seed=0)
    else:
        truths = random.Random(options.first_seed)
        for seed in range(options.first_seed, options.first_seed + options.replicates):
            half_width = truths.uniform(0.0, 180.0)
            found = inferred(options.data, PlantConfig(rotation=half_width), *shared, seed, options.steps)
            yield row(*found, planted=half_width, seed=seed)


def summary(found: list[dict]) -> dict[str, float]:
    """Coverage, width and error over rows with a planted half-width."""
    kept = [one for one in found if not isinstance(one["planted"], str)]
    if not kept:
        return {}
    return {
        "replicates": len(kept),
        "covered": sum(one["low"] <= one["planted"] <= one["high"] for one in kept),
        "median_width": statistics.median(one["high"] - one["low"] for one in kept),
        "mean_error": statistics.mean(abs(one["half_width"] - one["planted"]) for one in kept),
        "largest_error": max(abs(one["half_width"] - one["planted"]) for one in kept),
        "median_seconds": statistics.median(one["seconds"] for one in kept),
    }


def main() -> None:
    """Infer, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("uniform", "modes", "coverage"), default="uniform")
    parser.add_argument("--out", type=Path, required=True, help="JSON file for the results")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--examples", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--half-widths", type=float, nargs="+", default=list(HALF_WIDTHS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    found = []
    for one in rows(options):
        found.append(one)
        print(
            f"{one['planted']}: {one['half_width']:.1f} [{one['low']:.1f}, {one['high']:.1f}] {one['flags']}",
            flush=True,
        )
        result = {"summary": summary(found), "rows": found}
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf8")
    print(summary(found))


if __name__ == "__main__":
    main()
