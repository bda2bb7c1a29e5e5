"""How ReLU networks encode the left-right flip: merging with one's own flipped copy, and with another network.

python experiments/relu_networks/run.py --out runs/relu_networks
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import scipy.stats
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

import learnsym as ls
from learnsym.data import Batches, DataConfig, Splits, load_splits
from learnsym.objectives import Loss, Supervised, cross_entropy

KINDS = ("plain", "augmented", "invariance", "exact")
FLIP = ls.groups.Dihedral(1).components[1]
PLAN = (1, "pool", 2, 2, "pool", 4, 4, "pool", 8)


def vgg(width: int) -> nn.Sequential:
    """Six 3x3 convolutions with batch normalisation, three pools, a global average, a linear layer."""
    layers, channels = [], 3
    for factor in PLAN:
        if factor == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        out = factor * width
        layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class Paired(nn.Module):
    """The mean of a weight and its flipped copy with the channels of each pair `(c, c + C/2)` exchanged."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, weight: Tensor) -> Tensor:
        moved = weight.flip(-1) if weight.ndim == 4 else weight
        for axis in self.axes:
            moved = moved.roll(weight.shape[axis] // 2, axis)
        return (weight + moved) / 2


def tied(net: nn.Sequential) -> nn.Sequential:
    """The network with filters in mirrored pairs in every layer: a group convolutional network of half the width."""
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            axes = (0,) if layer.in_channels == 3 else (0, 1)
            parametrize.register_parametrization(layer, "weight", Paired(axes))
        if isinstance(layer, nn.BatchNorm2d):
            for name in ("weight", "bias"):
                parametrize.register_parametrization(layer, name, Paired((0,)))
        if isinstance(layer, nn.Linear):
            parametrize.register_parametrization(layer, "weight", Paired((1,)))
    return net


def untied(net: nn.Sequential) -> nn.Sequential:
    """The same network with ordinary weights; running statistics of pairs, which saw batches, are averaged."""
    for layer in net:
        for name in list(getattr(layer, "parametrizations", {})):
            parametrize.remove_parametrizations(layer, name)
        if isinstance(layer, nn.BatchNorm2d):
            for value in (layer.running_mean, layer.running_var):
                value.copy_(Paired((0,))(value))
    return net


class Invariance:
    """Cross-entropy of both orientations, and the squared distance of their logits."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Loss:
        x, y = batch
        outputs = model(torch.cat([x, x.flip(-1)]))
        task = cross_entropy(outputs, y.repeat(2))
        first, second = outputs.chunk(2)
        invariance = (first - second).square().sum(1).mean()
        return Loss(task + self.weight * invariance, {"task": task.detach(), "invariance": invariance.detach()})


def trained(kind: str, seed: int, splits: Splits, steps: int) -> nn.Sequential:
    """One network; all kinds share the initial weights and the batches of a seed."""
    torch.manual_seed(seed)
    net = vgg(16)
    flip = ls.symmetry.flip2d()
    models = {
        "augmented": lambda: ls.augment.Augmented(net, flip, ls.augment.fixed(flip.group, {})),
        "exact": lambda: tied(net),
    }
    model = models.get(kind, lambda: net)()
    objective = Invariance(0.1) if kind == "invariance" else Supervised(cross_entropy)
    batches = Batches(splits.train, 64, seed)
    optimiser = ls.training.OptimiserConfig(lr=2e-3)
    ls.training.fit(model, objective, batches, steps=steps, optimiser=optimiser, seed=seed)
    with torch.no_grad():
        return (untied(net) if kind == "exact" else net).eval()


def row(kind: str, seed: int, net: nn.Sequential, other: nn.Sequential, splits: Splits) -> dict[str, float | str | int]:
    """The barrier of one network to its flipped copy and to another network, on test images."""
    x, y, calibration = splits.test.x, splits.test.y, splits.train.x[:1000]
    options = {"calibration": calibration, "points": 3}
    own = ls.measure.merge_barrier(net, x, FLIP, y, **options)
    between = ls.measure.merge_barrier_between(net, other, x, y, **options)
    own_naive = ls.measure.merge_barrier(net, x, FLIP, y, repair=False, **options)
    between_naive = ls.measure.merge_barrier_between(net, other, x, y, repair=False, **options)
    return {
        "kind": kind,
        "seed": seed,
        "accuracy": own.accuracy[0].mean,
        "agreement": agreement(net, x),
        "own": own.barrier.mean,
        "own_stderr": own.barrier.stderr,
        "between": between.barrier.mean,
        "between_stderr": between.barrier.stderr,
        "own_loss": own.loss_barrier.mean,
        "between_loss": between.loss_barrier.mean,
        "own_naive": own_naive.barrier.mean,
        "between_naive": between_naive.barrier.mean,
    }


@torch.no_grad()
def agreement(net: nn.Sequential, x: Tensor) -> float:
    """How often an image and its mirror image are given the same class."""
    classes, mirrored = (torch.cat([net(part) for part in images.split(250)]).argmax(1) for images in (x, x.flip(-1)))
    return (classes == mirrored).double().mean().item()


def network(kind: str, seed: int, splits: Splits, steps: int, out: Path) -> nn.Sequential:
    """One trained network, read from the folder when it is there."""
    path = out / f"{kind}-{seed}-{steps}.pt"
    if not path.exists():
        torch.save(trained(kind, seed, splits, steps).state_dict(), path)
    net = vgg(16).eval()
    net.load_state_dict(torch.load(path))
    return net


def rows(kind: str, seeds: int, splits: Splits, steps: int, out: Path) -> list[dict[str, float | str | int]]:
    """All seeds of a kind; the other network of a seed is that of the next seed, the first for the last."""
    nets = [network(kind, seed, splits, steps, out) for seed in range(seeds)]
    return [row(kind, seed, net, nets[(seed + 1) % seeds], splits) for seed, net in enumerate(nets)]


def interval(values: list[float]) -> str:
    """Mean over seeds with the half-width of its 95 % interval (Student)."""
    values = torch.tensor(values, dtype=torch.float64)
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * float(values.std()) / len(values) ** 0.5
    return f"{float(values.mean()):6.3f} ± {half:.3f}"


def show(kind: str, found: list[dict[str, float | str | int]]) -> None:
    """One line for a kind."""
    columns = [interval([r[key] for r in found]) for key in ("accuracy", "agreement", "own", "between")]
    gains = [interval([r["between" + end] - r["own" + end] for r in found]) for end in ("", "_loss", "_naive")]
    print(f"{kind:11s}", *columns, *gains, sep="  ", flush=True)


def pooled(found: list[dict[str, float | str | int]]) -> list[dict[str, float | str | int]]:
    """For each seed the mean over kinds of network."""
    seeds = {r["seed"]: [other for other in found if other["seed"] == r["seed"]] for r in found}
    keys = [key for key, value in found[0].items() if isinstance(value, float)]
    return [{key: statistics.mean(r[key] for r in same) for key in keys} for same in seeds.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/relu_networks"))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="which networks")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--train", type=int, default=5000, help="training images")
    parser.add_argument("--test", type=int, default=2000, help="test images")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    sizes = {"train": arguments.train, "val": 500, "test": arguments.test}
    splits = load_splits(DataConfig(name="cifar10-jpeg", **sizes))
    columns = ("accuracy", "agreement", "own flip", "other network", "other - own", "in nats", "without repair")
    print(f"{'kind':11s}", *(f"{column:14s}" for column in columns), sep="  ")
    everything = []
    for kind in arguments.kinds:
        found = rows(kind, arguments.seeds, splits, arguments.steps, arguments.out)
        show(kind, found)
        everything += found
    show("not exact", pooled([r for r in everything if r["kind"] != "exact"]))
    (arguments.out / "rows.json").write_text(json.dumps(everything, indent=2) + "\n")
    print(f"{time.process_time():.0f} s of CPU time")


if __name__ == "__main__":
    main()
