"""Rotated MNIST: accuracy of all twins and the rotation that Augerino infers, for four planted laws.

python experiments/augerino/rotated_mnist/run.py --out runs/rotated_mnist
python experiments/augerino/rotated_mnist/run.py --out runs/rotated_mnist --part choosers
python experiments/augerino/rotated_mnist/run.py --out runs/rotated_mnist_8 --twins learned --copies 8 --half-widths 180
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import learnsym as ls
from learnsym.objectives.choosers import TrainingLoss
from learnsym.training import Run, RunConfig, read_config, train

HALF_WIDTHS = (180.0, 90.0, 45.0, 0.0)
SETTINGS = (
    ("validation", "sparse_norm", 0.0),
    ("validation", "sparse_norm", 0.1),
    ("training", "sparse_norm", 0.03),
    ("training", "sparse_norm", 0.1),
    ("training", "norm", 0.03),
    ("training", "norm", 0.1),
)
CONFIG = Path(__file__).parents[3] / "configs" / "augerino" / "rotated_mnist.yaml"


def planted(config: RunConfig, half_width: float) -> RunConfig:
    """The configuration with rotations from U(-half_width, half_width) in every split."""
    plant = replace(config.data.plant, rotation=half_width)
    return replace(config, data=replace(config.data, plant=plant, label=f"U({half_width:.0f})"))


def row(run: Run, half_width: float) -> dict[str, float | str]:
    """What one run says: accuracy, and the inferred half-width of the rotation in degrees where there is one."""
    test = next(record for record in reversed(run.metrics()) if record["split"] == "test")
    widths = [degree.estimate for degree in ls.degrees(run.model()) if degree.generator == "rotation"]
    return {
        "planted": half_width,
        "twin": run.twin,
        "chooser": run.config.chooser.name,
        "regulariser": run.config.method.regulariser,
        "weight": run.config.method.weight,
        "seed": run.seed,
        "accuracy": test["accuracy"],
        "rotation": widths[0] if widths and run.twin == "learned" else None,
    }


def twins(config: RunConfig, out: Path, half_widths: Sequence[float]) -> Iterator[dict[str, float | str]]:
    """All twins at the configured regulariser, the costly exact ones last."""
    for twin in config.twins:
        for half_width in half_widths:
            for run in train(replace(planted(config, half_width), twins=[twin]), out / f"twins-{half_width:.0f}"):
                yield row(run, half_width)


def choosers(config: RunConfig, out: Path, half_widths: Sequence[float]) -> Iterator[dict[str, float | str]]:
    """The learned twin with other choosers, regularisers and weights."""
    for chooser, regulariser, weight in SETTINGS:
        method = replace(config.method, regulariser=regulariser, weight=weight)
        swept = replace(config, method=method, twins=["learned"])
        swept = swept if chooser == "validation" else replace(swept, chooser=TrainingLoss())
        for half_width in half_widths:
            folder = out / f"choosers-{half_width:.0f}-{chooser}-{regulariser}-{weight}"
            for run in train(planted(swept, half_width), folder):
                yield row(run, half_width)


def show(rows: list[dict[str, float | str]]) -> None:
    """One line for each law, twin, chooser, regulariser and weight: mean and standard deviation over seeds."""
    keys = ("planted", "twin", "chooser", "regulariser", "weight")
    rows = sorted(rows, key=lambda found: -found["planted"])
    print("planted  twin     chooser      regulariser  weight  accuracy (sd)       rotation (sd)")
    for case in dict.fromkeys(tuple(found[key] for key in keys) for found in rows):
        same = [found for found in rows if tuple(found[key] for key in keys) == case]
        rotation = spread([found["rotation"] for found in same if found["rotation"] is not None])
        accuracy = spread([found["accuracy"] for found in same])
        print(f"{case[0]:7.0f}  {case[1]:8s} {case[2]:12s} {case[3]:12s} {case[4]:6.2f}  {accuracy}  {rotation}")


def spread(values: list[float]) -> str:
    """Mean and standard deviation."""
    if not values:
        return ""
    return f"{statistics.mean(values):8.4f} ({statistics.stdev(values) if len(values) > 1 else 0:.4f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/rotated_mnist"))
    parser.add_argument("--part", choices=("twins", "choosers"), default="twins")
    parser.add_argument("--steps", type=int, help="instead of the steps of the configuration")
    parser.add_argument("--twins", nargs="+", help="instead of the twins of the configuration")
    parser.add_argument("--seeds", nargs="+", type=int, help="instead of the seeds of the configuration")
    parser.add_argument("--copies", type=int, default=1, help="transformed copies per training example")
    parser.add_argument("--half-widths", nargs="+", type=float, default=list(HALF_WIDTHS))
    arguments = parser.parse_args()
    config = read_config(CONFIG)
    config = replace(config, train=replace(config.train, steps=arguments.steps or config.train.steps))
    config = replace(config, twins=arguments.twins or config.twins, seeds=arguments.seeds or config.seeds)
    config = replace(config, method=replace(config.method, copies=arguments.copies))
    part = {"twins": twins, "choosers": choosers}[arguments.part]
    rows = list(part(config, arguments.out, arguments.half_widths))
    (arguments.out / f"{arguments.part}.json").write_text(json.dumps(rows, indent=2) + "\n")
    show(rows)


if __name__ == "__main__":
    main()
