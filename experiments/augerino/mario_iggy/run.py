"""Mario-Iggy analogue: which rotation does each regulariser find, and does it leave the absent generators alone?

python experiments/augerino/mario_iggy/run.py --out runs/mario_iggy
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import learnsym as ls
from learnsym.objectives.choosers import TrainingLoss
from learnsym.training import Run, read_config, train

TRUTH = 45.0
SETTINGS = (
    ("validation", "sparse_norm", 0.03),
    ("training", "sparse_norm", 0.03),
    ("training", "norm", 0.01),
    ("training", "norm", 0.05),
    ("training", "norm", 0.1),
    ("training", "squared_norm", 0.03),
    ("training", "entropy", 0.03),
)


def row(run: Run) -> dict[str, float | str]:
    """Inferred half-widths in algebra coordinates (rotation: degrees) and test accuracy of one run."""
    widths = {degree.generator: degree for degree in ls.degrees(run.model())}
    test = next(record for record in reversed(run.metrics()) if record["split"] == "test")
    absent = {name: degree for name, degree in widths.items() if name != "rotation"}
    group = ls.symmetry_by_name("affine2d").group
    units = {generator.name: generator.per_unit for generator in group.generators}
    return {
        "chooser": run.config.chooser.name,
        "regulariser": run.config.method.regulariser,
        "weight": run.config.method.weight,
        "seed": run.seed,
        "rotation": widths["rotation"].estimate,
        **{name: degree.estimate * units[name] for name, degree in absent.items()},
        "accuracy": test["accuracy"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/mario_iggy"))
    parser.add_argument("--steps", type=int, help="instead of the steps of the configuration")
    parser.add_argument("--settings", type=int, default=len(SETTINGS), help="how many regulariser settings, in order")
    arguments = parser.parse_args()
    config = read_config(Path(__file__).parents[3] / "configs" / "augerino" / "mario_iggy.yaml")
    config = replace(config, train=replace(config.train, steps=arguments.steps or config.train.steps))
    rows = []
    for chooser, regulariser, weight in SETTINGS[: arguments.settings]:
        method = replace(config.method, regulariser=regulariser, weight=weight)
        chosen = replace(config, method=method, chooser=config.chooser if chooser == "validation" else TrainingLoss())
        runs = train(chosen, arguments.out / f"{chooser}-{regulariser}-{weight}")
        rows += [row(run) for run in runs]
    (arguments.out / "results.json").write_text(json.dumps(rows, indent=2) + "\n")
    print("chooser      regulariser  weight seed  rotation (truth 45)  largest absent  accuracy")
    for found in rows:
        absent = max(found[name] for name in ("translation_x", "translation_y", "scale", "stretch", "shear"))
        print(
            f"{found['chooser']:12s} {found['regulariser']:12s} {found['weight']:5.2f} {found['seed']:4d}  "
            f"{found['rotation']:6.1f} ({found['rotation'] / TRUTH - 1:+.1%}) {absent:20.4f} {found['accuracy']:11.4f}"
        )


if __name__ == "__main__":
    main()
