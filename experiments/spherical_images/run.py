"""Figures on the sphere: does augmentation reach a network with rotations built in, on labels and on masks?

python experiments/spherical_images/run.py --out runs/spherical_images
"""

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn

import learnsym as ls
from learnsym.actions import BandLimitedSphere
from learnsym.data import DataConfig, SphereConfig, Splits
from learnsym.equivariant import SO3Pointwise, SO3Transform
from learnsym.nets import CNN, SegmentationCNN, SphericalCNN, SphericalUNet, matched_width, parameter_count
from learnsym.representations import latitude_weights

SIZE, ORIGINALS, BATCH, AZIMUTHAL = 24, 400, 32, 3
SMALL, LARGE = 40_000, 200_000
LIMITS = {"S2CNN limit 5": (5, 3), "S2CNN": (8, 5), "S2CNN limit 12": (12, 7)}
"""Band limits of the levels: of the arm that is compared, and of two whose errors of equivariance stand beside."""
LONG = "S2CNN long"
RATES = {"S2CNN": {"labels": 1e-2, "masks": 3e-2}, "CNN": {"labels": 3e-3, "masks": 3e-3}}
OVERSAMPLING = (1.0, 1.5, 2.0, 3.0)
SCORES = {"labels": "accuracy", "masks": "iou"}
Row = dict[str, Any]
Make = Callable[[int], nn.Module]


@dataclass(frozen=True)
class Arm:
    """A network, and how many turned copies of each training figure it sees; 0 for upright figures."""

    name: str
    make: Callable[[str], nn.Module]
    copies: int = 0
    longer: int = 1
    """Times as many steps as all others."""

    limits: tuple[int, int] | None = None
    """Band limits of the levels of a spherical network."""

    @property
    def family(self) -> str:
        return self.name.split()[0]


def spherical(limits: Sequence[int], task: str) -> nn.Module:
    kind, classes = (SphericalUNet, 11) if task == "masks" else (SphericalCNN, 10)

    def of_width(width: int) -> nn.Module:
        return kind(1, classes, (SIZE, SIZE), width, limits, AZIMUTHAL)

    return of_width(matched_width(of_width, SMALL, largest=64))


def planar(parameters: int, task: str) -> nn.Module:
    makes: dict[str, Make] = {
        "labels": lambda width: CNN(1, 10, width, SIZE, depth=3),
        "masks": lambda width: SegmentationCNN(1, 11, width, depth=3),
    }
    return makes[task](matched_width(makes[task], parameters, largest=128))


ARMS = [
    *(Arm(name, partial(spherical, limits), limits=limits) for name, limits in LIMITS.items()),
    Arm(LONG, partial(spherical, LIMITS["S2CNN"]), longer=4, limits=LIMITS["S2CNN"]),
    *(Arm(f"CNN 40 K x{copies}", partial(planar, SMALL), copies) for copies in (1, 5, 25)),
    Arm("CNN 200 K x25", partial(planar, LARGE), 25),
    Arm("CNN 40 K x25 long", partial(planar, SMALL), 25, longer=4),
]


def load(task: str, copies: int, seed: int, examples: tuple[int, int, int]) -> Splits:
    """Figures of a seed: upright or turned for training, each test figure turned by itself."""
    originals, val, test = examples
    sphere = SphereConfig(
        masks=task == "masks", rotated=["train", "val", "test"] if copies else ["val", "test"], originals=originals
    )
    train = originals * max(1, copies)
    config = DataConfig(name="spherical-mnist", size=SIZE, train=train, val=val, test=test, sphere=sphere, seed=seed)
    return ls.data.load_splits(config)


def trained(arm: Arm, task: str, data: ls.data.Dataset, steps: int, seed: int, rate: float) -> nn.Module:
    """Adam with a cosine decay; cross-entropy per image or per pixel."""
    torch.manual_seed(seed)
    net = arm.make(task)
    objective = ls.objectives.Supervised(ls.objectives.cross_entropy)
    optimiser = ls.training.OptimiserConfig(lr=rate, weight_decay=0.0)
    ls.training.fit(net, objective, ls.data.Batches(data, BATCH, seed), steps=steps, optimiser=optimiser, seed=seed)
    return net.eval()


@torch.no_grad()
def turning_errors(net: nn.Module, x: Tensor, limit: int, on_grid: bool) -> dict[str, float]:
    """Relative equivariance error of the logits of band-limited pictures, by the oversampling of the grid."""
    move = BandLimitedSphere(limit)
    g = ls.groups.SO3().haar(len(x), dtype=torch.float64, generator=torch.Generator().manual_seed(5)).float()
    x = move(torch.eye(3).expand(len(x), 3, 3), x)
    found = {}
    for oversampling in OVERSAMPLING:
        before, after = (on_other_grid(net, oversampling)(each) for each in (x, move(g, x)))
        if on_grid:
            before = move(g, before)
        weights = latitude_weights(SIZE)[:, None].float() if on_grid else torch.ones(1)
        about = before - before.mean(0)
        error = ((after - before).square() * weights).sum() / (about.square() * weights).sum()
        found[f"{oversampling:g}"] = error.sqrt().item()
    return found


def on_other_grid(net: nn.Module, oversampling: float) -> nn.Module:
    """The same weights with activations on another grid."""
    for part in net.modules():
        if isinstance(part, SO3Pointwise):
            old = part.transform
            part.transform = SO3Transform(old.band_limit, old.azimuthal, oversampling)
    return net


def rows(arm: Arm, task: str, seed: int, steps: int, examples: tuple[int, int, int], rate: float) -> Iterator[Row]:
    splits = load(task, arm.copies, seed, examples)
    start = time.process_time()
    steps *= arm.longer
    net = trained(arm, task, splits.train, steps, seed, rate)
    seconds = time.process_time() - start
    row: Row = {"arm": arm.name, "task": task, "seed": seed, "rate": rate, "parameters": parameter_count(net)}
    for name, part in (("val", splits.val), ("test", splits.test)):
        scores = ls.training.evaluate(net, part, ls.objectives.cross_entropy)
        row |= {f"{name}_{key}": value for key, value in scores.items()}
    if arm.limits:
        row["turning_errors"] = turning_errors(net, splits.test.inputs[:64], arm.limits[0], task == "masks")
    yield row | {"steps": steps, "seconds": seconds}


def over_seeds(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half of Student's 95 % interval over seeds, in per cent."""
    if len(values) < 2:
        return 100 * values[0], float("nan")
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return 100 * float(np.mean(values)), 100 * float(half)


def of(found: list[Row], arm: str, task: str, key: str) -> list[Any]:
    return [row[key] for row in sorted(found, key=lambda row: row["seed"]) if (row["arm"], row["task"]) == (arm, task)]


def shown(values: Sequence[float]) -> str:
    mean, half = over_seeds(values)
    return f"{mean:.1f} ± {half:.1f}" if len(values) > 1 else f"{mean:.1f} (one seed)"


def lines_of(found: list[Row]) -> Iterator[str]:
    yield "| network | parameters, labels | accuracy | CPU s | parameters, masks | IoU | recall | CPU s |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in dict.fromkeys(row["arm"] for row in found):
        cells = []
        for task, keys in (("labels", ["accuracy"]), ("masks", ["iou", "recall"])):
            values = [of(found, name, task, f"test_{key}") for key in keys]
            sizes, seconds = (of(found, name, task, key) for key in ("parameters", "seconds"))
            cells += [f"{sizes[0]:,}" if sizes else "-", *(shown(each) if each else "-" for each in values)]
            cells.append(f"{np.mean(seconds):.1f}" if seconds else "-")
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""
    yield from errors_of(found)
    yield ""
    yield from verdicts(found)


def errors_of(found: list[Row]) -> Iterator[str]:
    """Equivariance errors by task, band limit and oversampling."""
    columns = [f"oversampling {s:g}" for s in OVERSAMPLING]
    yield f"| equivariance error of the logits | band limits | {' | '.join(columns)} |"
    yield "|---|---|" + "---|" * len(OVERSAMPLING)
    for task, arm in itertools.product(SCORES, (arm for arm in ARMS if arm.limits)):
        errors = of(found, arm.name, task, "turning_errors")
        if errors:
            cells = [shown([each[f"{s:g}"] for each in errors]) for s in OVERSAMPLING]
            yield f"| {task}, {arm.name} | {', '.join(map(str, arm.limits or ()))} | " + " | ".join(cells) + " |"
    yield ""
    for task, name in itertools.product(SCORES, (name for name in LIMITS if name != "S2CNN")):
        ours, theirs = (
            {row["seed"]: row["turning_errors"]["1.5"] for row in found if (row["arm"], row["task"]) == (arm, task)}
            for arm in (name, "S2CNN")
        )
        more = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
        if more:
            yield f"{task}: equivariance error of the {name} less that of the S2CNN {shown(more)} points"


def verdicts(found: list[Row]) -> Iterator[str]:
    """What the bars say: a spherical network against the best plain one, chosen on validation images."""
    for (task, key), exact in itertools.product(SCORES.items(), ("S2CNN", LONG)):
        scores = np.array(of(found, exact, task, f"test_{key}"))
        rivals = [
            arm.name for arm in ARMS if arm.copies == 25 and len(of(found, arm.name, task, "seed")) == len(scores)
        ]
        if not len(scores) or not rivals:
            continue
        best = max(rivals, key=lambda name: np.mean(of(found, name, task, f"val_{key}")))
        gap = scores - np.array(of(found, best, task, f"test_{key}"))
        yield f"{task}: {exact} less {best} {shown(gap.tolist())} points of {key}"
        error = [each["1.5"] for each in of(found, exact, task, "turning_errors")]
        yield f"{task}: equivariance error of the {exact} {shown(error)} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arms", nargs="+", choices=[arm.name for arm in ARMS], default=[arm.name for arm in ARMS])
    parser.add_argument("--tasks", nargs="+", choices=SCORES, default=list(SCORES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--examples", type=int, nargs=3, default=[ORIGINALS, 200, 500], help="originals, val, test")
    parser.add_argument("--rate", type=float, help="one for all; by default those chosen on validation images")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "spherical_images.jsonl"
    found = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()] if path.exists() else []
    done = {(row["seed"], row["task"], row["arm"]) for row in found}
    with open(path, "a", encoding="utf8") as stream:
        for seed in options.seeds:
            for task in options.tasks:
                for arm in (arm for arm in ARMS if arm.name in options.arms and (seed, task, arm.name) not in done):
                    rate = options.rate or RATES[arm.family][task]
                    for row in rows(arm, task, seed, options.steps, tuple(options.examples), rate):
                        found.append(row)
                        stream.write(json.dumps(row) + "\n")
                        stream.flush()
                        print(row, flush=True)
    text = "\n".join(lines_of(found)) + "\n"
    (options.out / "spherical_images.txt").write_text(text, encoding="utf8")
    print(text)


if __name__ == "__main__":
    main()
