"""Effective invariance: does it say without labels which of many small networks is accurate, and on which test set?

python experiments/effective_invariance/run.py --data fashion-mnist --out runs/effective_invariance
"""

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn

import learnsym as ls

WIDTHS, EXAMPLES, STEPS = (2, 4, 8), (300, 4000), (80, 320)
SYMMETRIES = {"turns": ls.symmetry.quarter_turns2d(), "flip": ls.symmetry.flip2d()}
DATA = ("fashion-mnist", "mnist")
MEASURES = ("effective_invariance", "agreement", "divergence")
REPLICATES, LEVEL = 1000, 0.95


def augmentations() -> dict[str, tuple[ls.Symmetry, ls.distributions.GroupDistribution] | None]:
    """What training images are moved by."""
    rotation = ls.symmetry.rotation2d()
    return {
        "none": None,
        "flip": (SYMMETRIES["flip"], ls.distributions.Haar(SYMMETRIES["flip"].group)),
        "turns": (SYMMETRIES["turns"], ls.distributions.Haar(SYMMETRIES["turns"].group)),
        "rotation": (rotation, ls.distributions.LieBox(rotation.group, torch.tensor([np.radians(30)]).float())),
    }


def shifts() -> dict[str, Callable[[Tensor], Tensor]]:
    """Test sets made from the one test set."""
    made: dict[str, Callable[[Tensor], Tensor]] = {"clean": lambda x: x}
    made |= {f"rotated ±{angle}°": lambda x, angle=angle: rotated(x, angle) for angle in (15, 30, 60)}
    made |= {f"noise {sd}": lambda x, sd=sd: (x + sd * torch.randn_like(x)).clamp(0, 1) for sd in (0.1, 0.2, 0.4)}
    made |= {f"contrast {c}": lambda x, c=c: c * (x - 0.5) + 0.5 for c in (0.6, 0.3, 0.15)}
    return made


def rotated(x: Tensor, angle: float) -> Tensor:
    symmetry = ls.symmetry.rotation2d()
    law = ls.distributions.LieBox(symmetry.group, torch.tensor([np.radians(angle)]).float())
    return symmetry.on_input(law.rsample((len(x),)), x)


def trained(data: ls.data.Dataset, width: int, examples: int, steps: int, moved: str, seed: int) -> nn.Module:
    """A small CNN, trained on images that are moved at random or not."""
    torch.manual_seed(seed)
    net = ls.nets.CNN(data.in_shape[0], data.classes, width=width, size=data.in_shape[-1])
    augmentation = augmentations()[moved]
    model: nn.Module = net
    if augmentation is not None:
        symmetry, law = augmentation
        model = ls.augment.Augmented(net, symmetry, ls.distributions.Fixed(law))
    objective = ls.objectives.Supervised(nn.functional.cross_entropy)
    batches = ls.data.Batches(data.subset(torch.arange(examples)), 64, seed=seed)
    optimiser = ls.training.OptimiserConfig(lr=3e-3)
    ls.training.fit(model, objective, batches, steps=steps, optimiser=optimiser, seed=seed)
    return net.eval()


def measured(net: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """Accuracy, and what needs no labels."""
    with torch.no_grad():
        found = {"accuracy": float((net(x).argmax(1) == y).double().mean())}
    for name, symmetry in SYMMETRIES.items():
        invariance = ls.measure.effective_invariance(net, x, symmetry, batch_size=250)
        found |= {f"{measure}, {name}": getattr(invariance, measure).mean for measure in MEASURES}
    return found


def rows(splits: ls.data.Splits, members: Sequence[tuple[int, int, int, str]]) -> Iterator[dict[str, float | str]]:
    """One row per model and test set; all models see the same images."""
    torch.manual_seed(1)
    sets = {name: shift(splits.test.x) for name, shift in shifts().items()}
    for seed, (width, examples, steps, moved) in enumerate(members):
        net = trained(splits.train, width, examples, steps, moved, seed)
        for name, x in sets.items():
            row = {"model": seed, "width": width, "examples": examples, "steps": steps, "augmentation": moved}
            yield row | {"set": name} | measured(net, x, splits.test.y)


def table(found: Sequence[dict[str, float | str]], column: str) -> np.ndarray:
    """One column as models by test sets."""
    models, sets = (list(dict.fromkeys(row[key] for row in found)) for key in ("model", "set"))
    return np.array([row[column] for row in found], dtype=float).reshape(len(models), len(sets))


def correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's and Spearman's, nan without variance."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([np.corrcoef(*pair)[0, 1] for pair in ((a, b), (rankdata(a), rankdata(b)))])


def interval(statistic: Callable[[np.ndarray], np.ndarray], models: np.ndarray) -> dict[str, dict[str, float]]:
    """Both correlations of some models, with their percentile bootstrap interval over models."""
    rng = np.random.default_rng(0)
    drawn = np.array([statistic(rng.choice(models, len(models))) for _ in range(REPLICATES)])
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0).tolist()
    value = statistic(models).tolist()
    return {name: {"value": value[k], "low": low[k], "high": high[k]} for k, name in enumerate(("pearson", "spearman"))}


def analysis(found: Sequence[dict[str, float | str]], measure: str) -> dict[str, dict[str, dict[str, float]]]:
    """Correlations of a measure with accuracy: across models on each test set, and across the sets for each model."""
    names = list(dict.fromkeys(str(row["set"]) for row in found))
    values, accuracy = table(found, measure), table(found, "accuracy")
    models = np.arange(len(values))
    plain = np.flatnonzero([row["augmentation"] == "none" for row in found if row["set"] == "clean"])
    own = np.array([correlations(*pair) for pair in zip(values, accuracy, strict=True)])

    def across_models(chosen: np.ndarray, k: int) -> np.ndarray:
        return correlations(values[chosen, k], accuracy[chosen, k])

    lines = {name: interval(lambda chosen, k=k: across_models(chosen, k), models) for k, name in enumerate(names)}
    return lines | {
        "clean, no augmentation": interval(lambda chosen: across_models(chosen, 0), plain),
        "shifted sets, mean": interval(
            lambda chosen: np.mean([across_models(chosen, k) for k in range(1, len(names))], axis=0), models
        ),
        "across sets, mean of models": interval(lambda chosen: np.nanmean(own[chosen], axis=0), models),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=DATA, default=DATA[0])
    parser.add_argument("--out", type=Path, default=Path("runs/effective_invariance"))
    parser.add_argument("--test", type=int, default=500, help="test images in each set")
    parser.add_argument("--models", type=int, help="how many, in order")
    arguments = parser.parse_args()
    config = ls.data.DataConfig(name=arguments.data, train=max(EXAMPLES), test=arguments.test)
    members = list(itertools.product(WIDTHS, EXAMPLES, STEPS, augmentations()))[: arguments.models]
    start = time.perf_counter()
    found = list(rows(ls.data.load_splits(config), members))
    columns = [f"{measure}, {symmetry}" for measure, symmetry in itertools.product(MEASURES, SYMMETRIES)]
    lines = {column: analysis(found, column) for column in columns}
    result = {"seconds": time.perf_counter() - start, "correlations": lines, "rows": found}
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{arguments.data}.json").write_text(json.dumps(result, indent=1) + "\n")
    accuracy = table(found, "accuracy")
    print(f"{len(members)} models, {result['seconds']:.0f} s; accuracy on clean images", end=" ")
    print(f"{accuracy[:, 0].min():.2f} to {accuracy[:, 0].max():.2f}, means of all sets {accuracy.mean(0).round(2)}")
    for column, over in itertools.product(columns, lines[columns[0]]):
        cells = (f"{c['value']:+.2f} [{c['low']:+.2f}, {c['high']:+.2f}]" for c in lines[column][over].values())
        print(f"{column:28s} {over:28s} {'  '.join(cells)}")


if __name__ == "__main__":
    main()
