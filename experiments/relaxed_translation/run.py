"""Relaxed translation: how far do kernels vary from place to place, at which weight of the penalty?

python experiments/relaxed_translation/run.py --out runs/relaxed_translation
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import learnsym as ls
from learnsym.statistics import over_seeds
from learnsym.training import Run, find_runs, read_config, train

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "relax" / "translation.yaml"
WEIGHTS = (1.0, 0.1, 0.01)
"""Of the differences between neighbouring pixels."""


def trained(weights: Sequence[float], out: Path) -> dict[str, list[Run]]:
    """Runs by twin; the learned one for each weight."""
    config = read_config(CONFIG)
    train(replace(config, twins=["exact", "plain"]), out / "twins")
    twins = find_runs(out / "twins")
    rows = {name: [run for run in twins if run.twin == name] for name in ("exact", "plain")}
    for weight in weights:
        method = replace(config.method, weight=weight)
        train(replace(config, twins=["learned"], method=method), out / f"weight-{weight:g}")
        rows[f"learned, weight {weight:g}"] = find_runs(out / f"weight-{weight:g}")
    return rows


def accuracy(run: Run) -> float:
    return 100 * next(record["accuracy"] for record in run.metrics() if record["split"] == "test")


def error(run: Run) -> float:
    """Of class probabilities under shifts of up to a tenth of the image."""
    test = ls.data.load_splits(run.config.data).test
    symmetry, law = run.config.method.tested(test.signature), run.config.method.law()
    model = run.model()
    return ls.measure.equivariance_error(lambda x: model(x).softmax(1), test.inputs, symmetry, distribution=law).mean


def share(run: Run) -> float:
    """Of the squared norm of the kernels of the layer that varies most, what does not vary from place to place."""
    return min((degree.estimate for degree in run.degrees()), default=1.0)


def table(rows: dict[str, list[Run]]) -> str:
    lines = ["| twin | test accuracy, % | error under shifts | least share without place |", "|---|---|---|---|"]
    for name, runs in rows.items():
        cells = [over_seeds([score(run) for run in runs]) for score in (accuracy, error, share)]
        shown = [f"{cell.estimate:.3g} [{cell.low:.3g}, {cell.high:.3g}]" for cell in cells]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/relaxed_translation"), help="folder for runs and table")
    which = "of the learned arms, beside exact and plain"
    parser.add_argument("--weights", nargs="+", type=float, choices=WEIGHTS, default=WEIGHTS, help=which)
    options = parser.parse_args()
    rows = trained(options.weights, options.out)
    (options.out / "table.md").write_text(table(rows) + "\n", encoding="utf8")
    print(table(rows))


if __name__ == "__main__":
    main()
