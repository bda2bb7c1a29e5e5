"""What training, augmentation and size change in the local equivariance error of small networks.

Three kinds of network in two sizes each are trained with and without random affine maps, from the same initial weights
on the same batches, and measured before and after on the same test images.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from inputs import interval
from layers import by_kind
from scipy.stats import spearmanr
from torch import Tensor, nn

import learnsym as ls

SYMMETRY = ls.Symmetry(ls.groups.Affine2(), ls.actions.Image(padding="reflection"))
STEP = {"translation_x": 1 / 32, "translation_y": 1 / 32, "rotation": 5.0, "scale": 0.1, "stretch": 0.1, "shear": 0.1}
AUGMENTATION = {name: 3 * step for name, step in STEP.items()}
"""Half-widths of the random maps."""
WIDTHS = {
    "CNN": {"small": 4, "large": 16},
    "ViT": {"small": 16, "large": 64},
    "MLP": {"small": 32, "large": 256},
}
RATES = {"CNN": 3e-3, "ViT": 1e-3, "MLP": 1e-3}
TRAINING = ("none", "plain", "augmented")
KEYS = ("central", "spectral", "finite", "probabilities")
LAYERWISE = ("translation_x", "rotation")
SEEDS, STEPS, EXAMPLES, REPLICATES = 4, 300, 64, 1000


class ViT(nn.Module):
    """Four by four patches with learned positions, two layers of attention, the mean of all tokens."""

    def __init__(self, channels: int, classes: int, width: int, size: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, width, size // 4, stride=size // 4)
        self.position = nn.Parameter(0.2 * torch.randn(16, width))
        options = {"dropout": 0.0, "activation": "gelu", "batch_first": True, "norm_first": True}
        self.blocks = nn.Sequential(*(nn.TransformerEncoderLayer(width, 4, 2 * width, **options) for _ in range(2)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.position
        return self.head(self.norm(self.blocks(tokens)).mean(1))


def network(kind: str, width: int, data: ls.data.Dataset) -> nn.Module:
    channels, size, _ = data.in_shape
    if kind == "CNN":
        return ls.nets.CNN(channels, data.classes, width=width, size=size)
    if kind == "ViT":
        return ViT(channels, data.classes, width, size)
    return ls.nets.MLP(channels * size**2, data.classes, width=width)


def fitted(net: nn.Module, kind: str, augmented: bool, data: ls.data.Dataset, seed: int) -> None:
    law = ls.augment.fixed(SYMMETRY.group, AUGMENTATION)
    model = ls.augment.Augmented(net, SYMMETRY, law) if augmented else net
    objective = ls.objectives.Supervised(nn.functional.cross_entropy)
    optimiser = ls.training.OptimiserConfig(lr=RATES[kind])
    ls.training.fit(model, objective, ls.data.Batches(data, 64, seed), steps=STEPS, optimiser=optimiser, seed=seed)


def measured(net: nn.Module, test: ls.data.Dataset) -> dict:
    """Accuracy; for each generator the relative change of the outputs by a small step, local and finite."""
    net.eval()
    with torch.no_grad():
        accuracy = (net(test.x).argmax(1) == test.y).double().mean().item()
    return {"accuracy": accuracy, "generators": {name: errors(net, test.x[:EXAMPLES], name) for name in STEP}}


def errors(net: nn.Module, x: Tensor, name: str) -> dict[str, float]:
    found, step = {}, STEP[name]
    local = ls.measure.local_equivariance_error
    for derivative in ("central", "spectral"):
        relative = local(net, x, SYMMETRY, [name], derivative=derivative, batch_size=len(x))[name].relative
        found |= {derivative: relative.mean * step, f"{derivative}_stderr": relative.stderr * step}
    probabilities = local(lambda x: net(x).softmax(1), x, SYMMETRY, [name], derivative="central", batch_size=len(x))
    found["probabilities"] = probabilities[name].lee.mean ** 0.5 * step
    there_and_back = ls.measure.Quadrature.along(SYMMETRY.group, name, points=2, half_width=step)
    found["finite"] = ls.measure.error_curve(net, x, SYMMETRY, there_and_back).average.mean
    return {key: float(f"{value:.4g}") for key, value in found.items()}


def layers_of(net: nn.Module, x: Tensor) -> dict[str, dict[str, float]]:
    attribute = ls.measure.attribute
    return {name: by_kind(attribute(net, x, SYMMETRY, name, derivative="central"), net) for name in LAYERWISE}


def rows(data: str) -> Iterator[dict]:
    """One row for each network before training, and one after training with and without augmentation."""
    splits = ls.data.load_splits(ls.data.DataConfig(name=data, train=10000, val=10, test=1000))
    for kind, size, training, seed in product(WIDTHS, ("small", "large"), TRAINING, range(SEEDS)):
        torch.manual_seed(seed)
        net = network(kind, WIDTHS[kind][size], splits.train)
        if training != "none":
            fitted(net, kind, training == "augmented", splits.train, seed)
        row = {"network": kind, "size": size, "training": training, "seed": seed} | measured(net, splits.test)
        yield row if kind == "MLP" else row | {"kinds": layers_of(net, splits.test.x[:16])}


def overall(row: dict, key: str) -> float:
    """Geometric mean over generators."""
    return float(np.exp(np.mean([np.log(found[key]) for found in row["generators"].values()])))


def ratio(found: list[dict], key: str, to: dict[str, str], **given: str) -> str:
    """Of the error to that of the run that differs by `to`, geometric mean over networks, over seeds."""
    cases = ("network", "size", "training", "seed")
    index = {tuple(row[case] for case in cases): overall(row, key) for row in found}
    by_seed: dict[int, list[float]] = {}
    for row in found:
        if all(row[case] == value for case, value in given.items()):
            logarithm = np.log(overall(row, key) / index[tuple((row | to)[case] for case in cases)])
            by_seed.setdefault(row["seed"], []).append(logarithm)
    mean, low, high = np.exp(interval([float(np.mean(values)) for values in by_seed.values()]))
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def correlation(pairs: list[tuple[float, float]]) -> str:
    """Spearman's, with the percentile bootstrap interval over networks."""
    values, rng = np.array(pairs), np.random.default_rng(0)
    drawn = [spearmanr(rng.choice(values, len(values)))[0] for _ in range(REPLICATES)]
    return "{:.2f} [{:.2f}, {:.2f}]".format(spearmanr(values)[0], *np.quantile(drawn, [0.025, 0.975]))


def show(found: list[dict]) -> None:
    show_errors(found)
    show_ratios(found)
    trained = [row for row in found if row["training"] != "none"]
    for name, chosen in {"plain": [row for row in trained if row["training"] == "plain"], "all": trained}.items():
        for key in ("central", "finite"):
            pairs = [(row["accuracy"], overall(row, key)) for row in chosen]
            print(f"accuracy and {key} error, {name} trained networks: {correlation(pairs)}")
    pairs = [(e["central"], e["finite"]) for row in found for e in row["generators"].values()]
    print(f"central and finite: {correlation(pairs)}, median ratio {np.median([a / b for a, b in pairs]):.2f}")
    for kind, training, name in product(("CNN", "ViT"), TRAINING, LAYERWISE):
        chosen = [row["kinds"][name] for row in found if (row["network"], row["training"]) == (kind, training)]
        means = {part: np.mean([shares.get(part, 0) for shares in chosen]) for part in chosen[0]}
        print(kind, training, name, {part: round(float(mean), 2) for part, mean in means.items()})


def show_errors(found: list[dict]) -> None:
    """Means over seeds of accuracy, of the error over generators and of that of each."""
    print("accuracy,", ", ".join(KEYS), "; central for", ", ".join(STEP), "; its relative standard error over images")
    for case in product(WIDTHS, ("small", "large"), TRAINING):
        chosen = [row for row in found if (row["network"], row["size"], row["training"]) == case]
        means = [np.mean([overall(row, key) for row in chosen]) for key in KEYS]
        each = [np.mean([row["generators"][name]["central"] for row in chosen]) for name in STEP]
        stderr = np.mean([[e["central_stderr"] / e["central"] for e in row["generators"].values()] for row in chosen])
        print("{:4s} {:6s} {:10s}".format(*case), f"{np.mean([row['accuracy'] for row in chosen]):.3f}", end="  ")
        print(*(f"{mean:.4f}" for mean in means), " generators", *(f"{mean:.3f}" for mean in each), f"± {stderr:.0%}")


def show_ratios(found: list[dict]) -> None:
    """What training, augmentation and size change."""
    changes = {
        "trained / before": ({"training": "none"}, {"training": "plain"}),
        "augmented / plain": ({"training": "plain"}, {"training": "augmented"}),
        "large / small, before": ({"size": "small"}, {"size": "large", "training": "none"}),
        "large / small, plain": ({"size": "small"}, {"size": "large", "training": "plain"}),
    }
    for name, (to, given) in changes.items():
        for key in KEYS:
            each = (f"{kind} {ratio(found, key, to, network=kind, **given)}" for kind in WIDTHS)
            print(f"{name:22s} {key:13s} all {ratio(found, key, to, **given)};", "; ".join(each))
