"""The figure of the parts weights and penalty, from their results.

python experiments/optimisation_dynamics/figure.py experiments/optimisation_dynamics/results --out docs/_static
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import penalty
import weights
from networks import of, tensor

from learnsym.report.figures.style import SERIES, save, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = list[dict[str, Any]]
COLOURS = dict(zip(weights.CASES, SERIES, strict=False))
KINDS = {"full orbit": "-", "random element": ":"}


def distances(rows: Rows, ax: Axes) -> Axes:
    """Distance to equivariance over epochs: a thin line for each seed, a thick one for the median."""
    for case in weights.CASES:
        for augmentation, style in KINDS.items():
            some = of(rows, case=case, augmentation=augmentation)
            lines = tensor([row["epochs"] for row in some])
            epochs = range(1, lines.shape[1] + 1)
            for line in lines:
                ax.plot(epochs, line, style, color=COLOURS[case], linewidth=0.5, alpha=0.5)
            median = lines.median(0).values
            ax.plot(epochs, median, style, color=COLOURS[case], linewidth=1.8, label=f"{case}, {augmentation}")
    ax.set(yscale="log", xlabel="epochs of augmented training", ylabel="distance to equivariance")
    ax.legend(loc="center right", fontsize=7)
    return tidy(ax)


def pull(rows: Rows, ax: Axes) -> Axes:
    """Distance over steps from a start beside the equivariant networks, medians over seeds, at two strengths."""
    for index, training in enumerate(("plain", "full orbit", "random element")):
        for strength, style in ((0.0, "-"), (1.0, "--")):
            lines = tensor([row["distances"] for row in of(rows, training=training, strength=strength)])
            steps = [10 * k for k in range(lines.shape[1])]
            median = (lines / lines[:, :1]).median(0).values
            width = (1.8, 3.2, 1.2)[index]  # the last two all but coincide
            ax.plot(steps, median, style, color=SERIES[index], linewidth=width, label=f"{training}, γ = {strength:g}")
    alone = of(rows, training="plain", strength=1.0)[0]
    rate = (alone["pure penalty"] / alone["start"]) ** (1 / alone["steps"])
    ax.plot(steps, [rate**step for step in steps], color="#9AA5B1", linewidth=1.0, label="the penalty alone, γ = 1")
    ax.set(ylim=(0, None), xlabel="steps", ylabel="distance / distance at the start")
    ax.legend(loc="lower left", fontsize=7)
    return tidy(ax)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of weights.json and penalty.json")
    parser.add_argument("--out", type=Path, default=Path("runs/optimisation_dynamics"), help="folder for the figures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for module, draw in ((weights, distances), (penalty, pull)):
        name = module.__name__
        rows = json.loads((options.results / f"{name}.json").read_text(encoding="utf8"))["rows"]

        def drawn(ax: Axes, rows: Rows = rows, draw: Any = draw) -> Axes:
            return draw(rows, ax)

        save(drawn, options.out / f"dynamics-{name}", (5.2, 3.6))


if __name__ == "__main__":
    main()
