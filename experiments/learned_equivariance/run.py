"""Learned equivariance: what do augmentation, width and convolution change in trained networks, layer by layer?

python experiments/learned_equivariance/run.py --data mnist --out runs/learned_equivariance
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import learnsym as ls

PATCH, DEPTH, SHIFT = 4, 3, 4
WIDTHS, AUGMENTATIONS, MIDDLE = (8, 16, 32), ("none", "shifts", "turns"), 16
FAMILIES = ("convolution", "mixer")
SITES = {
    "mixing": tuple(f"blocks.{k}.positions" for k in range(DEPTH)),
    "blocks": tuple(f"blocks.{k}" for k in range(DEPTH)),
}
LAYERS = ("embedding", *SITES["mixing"], *SITES["blocks"])
SHIFTS, TURNS = ls.symmetry.translation2d(), ls.symmetry.quarter_turns2d()
SCORES = ("equivariance", "invariance", "equivariance_chance", "invariance_chance")
COLUMNS = (
    *(f"{score}, {move}, {site}" for score in SCORES[:2] for site in SITES for move in ("4 px", "2 px", "turns")),
    *(f"{measure}, {move}" for measure in ("twirl", "consistency") for move in ("shifts", "turns")),
    "accuracy",
)
Cell = tuple[str, int, str]
Row = dict[str, Any]


class AcrossPositions(nn.Module):
    """One hidden layer over all positions, the same for every channel."""

    def __init__(self, positions: int, hidden: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(positions, hidden), nn.GELU(), nn.Linear(hidden, positions))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.flatten(2)).view_as(x)


def across_positions(family: str, width: int, positions: int) -> nn.Module:
    """A 3x3 convolution, or a dense map over positions with as many parameters, up to half a hidden unit's."""
    if family == "convolution":
        return nn.Conv2d(width, width, 3, padding=1)
    parameters = 9 * width**2 + width
    return AcrossPositions(positions, round((parameters - positions) / (2 * positions + 1)))


class Block(nn.Module):
    """What mixes positions, then what mixes channels, each added to its input."""

    def __init__(self, width: int, mixing: nn.Module) -> None:
        super().__init__()
        self.positions = nn.Sequential(nn.GroupNorm(1, width), mixing)
        pointwise = (nn.Conv2d(width, 2 * width, 1), nn.GELU(), nn.Conv2d(2 * width, width, 1))
        self.channels = nn.Sequential(nn.GroupNorm(1, width), *pointwise)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.positions(x)
        return x + self.channels(x)


class PatchNet(nn.Module):
    """An embedding of separate patches of standardised images, blocks, a linear layer on all positions."""

    def __init__(self, family: str, width: int, data: ls.data.Dataset) -> None:
        super().__init__()
        positions = (data.in_shape[-1] // PATCH) ** 2
        self.mean, self.std = float(data.inputs.mean()), float(data.inputs.std())
        self.embedding = nn.Conv2d(data.in_shape[0], width, PATCH, PATCH)
        mixings = (across_positions(family, width, positions) for _ in range(DEPTH))
        self.blocks = nn.Sequential(*(Block(width, mixing) for mixing in mixings))
        self.head = nn.Sequential(nn.GroupNorm(1, width), nn.Flatten(), nn.Linear(width * positions, data.classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.embedding((x - self.mean) / self.std)))


def cells() -> list[Cell]:
    """Family, width and augmentation of the trained networks."""
    widths = [(family, width, "none") for family in FAMILIES for width in WIDTHS]
    return widths + [(family, MIDDLE, moved) for family in FAMILIES for moved in AUGMENTATIONS[1:]]


def law_of_shifts(size: int) -> ls.distributions.GroupDistribution:
    """Uniform by up to 4 pixels along both axes; images are 2 units wide."""
    return ls.distributions.LieBox(SHIFTS.group, torch.full((2,), 2 * SHIFT / size))


def moving(net: nn.Module, moved: str, size: int) -> nn.Module:
    """The network as it is trained: on images that are moved at random, or as they are."""
    if moved == "none":
        return net
    symmetry = SHIFTS if moved == "shifts" else TURNS
    law = law_of_shifts(size) if moved == "shifts" else ls.distributions.Haar(TURNS.group)
    return ls.augment.Augmented(net, symmetry, ls.distributions.Fixed(law))


def initial(data: ls.data.Dataset, family: str, width: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return PatchNet(family, width, data).eval()


def trained(data: ls.data.Dataset, cell: Cell, steps: int, seed: int) -> nn.Module:
    family, width, moved = cell
    net = initial(data, family, width, seed)
    objective = ls.objectives.Supervised(nn.functional.cross_entropy)
    batches = ls.data.Batches(data, 64, seed=seed)
    optimiser = ls.training.OptimiserConfig(lr=3e-3)
    model = moving(net, moved, data.in_shape[-1])
    ls.training.fit(model, objective, batches, steps=steps, optimiser=optimiser, seed=seed)
    return net.eval()


def layer_columns(net: nn.Module, x: Tensor) -> Row:
    """Scores and chances of each layer, and the means of scores over what mixes positions and over whole blocks."""
    columns, layers = {}, {}
    ways = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    shifts = {f"{n} px": ls.measure.pixel_shifts(x, [(n * a, n * b) for a, b in ways]) for n in (SHIFT, SHIFT // 2)}
    for move, elements in {**shifts, "turns": None}.items():
        symmetry = TURNS if elements is None else SHIFTS
        found = ls.measure.layer_scores(net, x, symmetry, elements, LAYERS, batch_size=100).scores
        layers[move] = {name: [round(getattr(found[name], score).mean, 4) for score in SCORES] for name in LAYERS}
        for site, names in SITES.items():
            means = np.mean([layers[move][name] for name in names], 0).round(4)
            columns |= {f"{score}, {move}, {site}": mean for score, mean in zip(SCORES[:2], means[:2], strict=True)}
    return columns | {"layers": layers}


def measured(net: nn.Module, test: ls.data.Dataset) -> Row:
    """Accuracy on images as they are, scores of layers, twirl percentage and consistency of the output."""
    x, y = test.inputs, test.y
    with torch.no_grad():
        found: Row = {"accuracy": 100 * float((net(x).argmax(1) == y).double().mean())}
    found |= layer_columns(net, x[:200])
    x, y = x[:500], y[:500]
    for move, symmetry, law in (("shifts", SHIFTS, law_of_shifts(x.shape[-1])), ("turns", TURNS, None)):
        twirl = ls.measure.twirl(net, x, y, symmetry, "cross_entropy", 8, law, batch_size=250)
        consistency = ls.measure.consistency(net, x, symmetry, 8, law, batch_size=250)
        found |= {f"twirl, {move}": round(twirl.percent.mean, 3), f"consistency, {move}": round(consistency.mean, 4)}
    return found


def rows(config: ls.data.DataConfig, steps: int) -> Iterator[Row]:
    """One row per network of a seed, which draws images, initial weights, batches and transformations."""
    splits = ls.data.load_splits(config)
    for family in FAMILIES:
        net = initial(splits.train, family, MIDDLE, config.seed)
        yield described(net, (family, MIDDLE, "untrained"), config.seed) | measured(net, splits.test)
    for cell in cells():
        net = trained(splits.train, cell, steps, config.seed)
        yield described(net, cell, config.seed) | measured(net, splits.test)


def described(net: nn.Module, cell: Cell, seed: int) -> Row:
    parameters = sum(p.numel() for p in net.parameters())
    return dict(zip(("family", "width", "training"), cell, strict=True)) | {"seed": seed, "parameters": parameters}


def table(found: Sequence[Row], column: str) -> dict[Cell, np.ndarray]:
    """One column as values of each cell over seeds."""
    values: dict[Cell, list[float]] = {}
    for row in found:
        values.setdefault((row["family"], row["width"], row["training"]), []).append(row[column])
    return {cell: np.array(of) for cell, of in values.items()}


def contrasts() -> dict[str, tuple[Cell, Cell]]:
    """Pairs of cells that differ in one thing."""
    pairs: dict[str, tuple[Cell, Cell]] = {}
    for family in FAMILIES:
        for moved in AUGMENTATIONS[1:]:
            pairs[f"{family}, {moved} - none"] = (family, MIDDLE, moved), (family, MIDDLE, "none")
        pairs[f"{family}, shifts - turns"] = (family, MIDDLE, "shifts"), (family, MIDDLE, "turns")
        for narrow, wide in ((8, 16), (16, 32), (8, 32)):
            pairs[f"{family}, width {narrow} - {wide}"] = (family, narrow, "none"), (family, wide, "none")
        pairs[f"{family}, trained - untrained"] = (family, MIDDLE, "none"), (family, MIDDLE, "untrained")
    for width in WIDTHS:
        pairs[f"convolution - mixer, width {width}"] = ("convolution", width, "none"), ("mixer", width, "none")
    return pairs


def over_seeds(values: np.ndarray) -> list[float]:
    """Mean and Student's 95 % interval; seeds are the independent units."""
    estimate = ls.measure.Estimate.of(torch.from_numpy(values))
    interval = ls.measure.student_interval(estimate, 0.95)
    return [round(value, 4) for value in (estimate.mean, interval.low, interval.high)]


def among() -> dict[str, list[Cell]]:
    """Trained networks across which scores are correlated with accuracy."""
    of_family = {family: [cell for cell in cells() if cell[0] == family] for family in FAMILIES}
    return {"all": cells(), "no augmentation": [cell for cell in cells() if cell[2] == "none"]} | of_family


def correlation(values: dict[Cell, np.ndarray], accuracy: dict[Cell, np.ndarray], chosen: list[Cell]) -> list[float]:
    """Pearson's, across the chosen cells of one seed; mean and interval over seeds on Fisher's scale."""
    of_seeds = zip(*(np.stack([of[cell] for cell in chosen], 1) for of in (values, accuracy)), strict=True)
    z = np.arctanh([np.corrcoef(*pair)[0, 1] for pair in of_seeds])
    return np.tanh(over_seeds(z)).round(4).tolist()


def analysis(found: Sequence[Row], column: str) -> dict[str, dict[str, list[float]]]:
    """Of one column: means of cells, paired differences, correlations with accuracy."""
    values, accuracy = table(found, column), table(found, "accuracy")
    groups = {} if column == "accuracy" else among()
    return {
        "cells": {", ".join(map(str, cell)): over_seeds(of) for cell, of in values.items()},
        "differences": {name: over_seeds(values[a] - values[b]) for name, (a, b) in contrasts().items()},
        "correlations": {name: correlation(values, accuracy, chosen) for name, chosen in groups.items()},
    }


def lines_of(found: Sequence[Row]) -> Iterator[str]:
    """The analysis of all columns as text."""
    for column in COLUMNS:
        for part, lines in analysis(found, column).items():
            for name, (value, low, high) in lines.items():
                yield f"{part:12s} {column:28s} {name:34s} {value:8.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    form, arms = argparse.RawDescriptionHelpFormatter, f"arms: {', '.join(FAMILIES)}, at {len(WIDTHS)} widths"
    parser = argparse.ArgumentParser(description=__doc__, epilog=arms, formatter_class=form)
    parser.add_argument("--data", default="mnist", choices=("mnist", "fashion-mnist", "cifar10-jpeg"))
    parser.add_argument("--out", type=Path, default=Path("runs/learned_equivariance"))
    parser.add_argument("--seeds", type=int, default=6, help="at least 2")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--train", type=int, default=4000, help="training images of each seed")
    arguments = parser.parse_args()
    start, found = time.perf_counter(), []
    for seed in range(arguments.seeds):
        config = ls.data.DataConfig(name=arguments.data, train=arguments.train, test=2000, seed=seed)
        found += rows(config, arguments.steps)
    wall, cpu = time.perf_counter() - start, time.process_time()
    lines = [*lines_of(found), f"{len(found)} networks, {wall:.0f} s ({cpu:.0f} s of CPU)"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    for suffix, content in (("jsonl", map(json.dumps, found)), ("txt", lines)):
        (arguments.out / f"{arguments.data}.{suffix}").write_text("\n".join(content) + "\n")
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
