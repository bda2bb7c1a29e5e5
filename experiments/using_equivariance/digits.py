"""MNIST at 27, 28 and 29 pixels: a network that is exactly invariant at 28 and can learn not to be at 27 and 29."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn

import learnsym as ls

NETS = {"P4 28": (4, 1, 28), "P4 27": (4, 1, 27), "P4 29": (4, 1, 29), "Z2 28": (1, 2, 28)}
"""Order of the cyclic group, factor of the width, pixels."""
TRAININGS = ("upright", "biased", "uniform")
MEAN, DEVIATION = 0.1308, 0.0435  # of the public code
RIGHT_ANGLES, ANGLES = (0, 90, 180, 270), tuple(range(0, 360, 10))
DECAY = 1e-5
HALVINGS = 5


@dataclass(frozen=True)
class Schedule:
    width: int
    epochs: float
    batch: int
    rates: str
    """`step`: halved five times, as the paper does; `cycle`: up and down once, for a short training."""
    rate: float
    dropout: float
    test: int
    """Test digits at right angles."""
    curve: int
    """Test digits at all 36 angles."""
    device: str


def rotated(x: Tensor, degrees: Tensor) -> Tensor:
    angle = torch.deg2rad(degrees).expand(len(x))
    cos, sin = angle.cos(), angle.sin()
    return ls.actions.warp(x, torch.stack([cos, -sin, sin, cos], -1).unflatten(-1, (2, 2)))


def resized(x: Tensor, size: int) -> Tensor:
    if size == x.shape[-1]:
        return x
    return nn.functional.interpolate(x, (size, size), mode="bilinear", antialias=True, align_corners=False)


def normalised(x: Tensor) -> Tensor:
    return (x - MEAN) / DEVIATION


def fitted(net: nn.Module, x: Tensor, y: Tensor, training: str, schedule: Schedule, seed: int) -> nn.Module:
    """A loop of its own: `training.fit` does not halve rates in steps, and its weight decay is decoupled from Adam."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(net.parameters(), schedule.rate, weight_decay=DECAY)
    steps = round(schedule.epochs * len(x) / schedule.batch)
    if schedule.rates == "step":
        rates = torch.optim.lr_scheduler.StepLR(optimiser, math.ceil(steps / HALVINGS), 0.5)
    else:
        rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, schedule.rate, total_steps=steps + 1)
    for index in islice(batches(len(x), schedule.batch, generator), steps):
        images, labels = x[index.to(x.device)], y[index.to(x.device)]
        if training == "biased":  # one angle for the whole batch
            images = rotated(images, (45 + 20 * torch.randn(1, generator=generator)).to(x.device))
        loss = nn.functional.cross_entropy(net(normalised(images)), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rates.step()
    return net.eval()


def batches(examples: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    while True:
        chunks = torch.randperm(examples, generator=generator).split(size)
        yield from (index for index in chunks if len(index) == size)


@torch.no_grad()
def accuracy(net: nn.Module, x: Tensor, y: Tensor, angle: int) -> float:
    right = 0
    for images, labels in zip(x.split(500), y.split(500), strict=True):
        turned = torch.rot90(images, angle // 90, (-2, -1)) if angle % 90 == 0 else rotated(images, x.new_tensor(angle))
        right += int((net(normalised(turned)).argmax(1) == labels).sum())
    return 100 * right / len(x)


def splits(seed: int) -> ls.data.Splits:
    return ls.data.load_splits(ls.data.DataConfig(name="mnist", train=8000, val=2000, test=10000, seed=seed))


def row(name: str, training: str, seed: int, schedule: Schedule, data: ls.data.Splits) -> dict:
    order, factor, size = NETS[name]
    x, y = resized(data.train.inputs, size).to(schedule.device), data.train.y.to(schedule.device)
    if training == "uniform":  # each digit once, before training
        degrees = 360 * torch.rand(len(x), generator=torch.Generator().manual_seed(seed))
        x = rotated(x, degrees.to(x.device))
    torch.manual_seed(seed)
    net = ls.nets.P4CNN(1, 10, ls.groups.Cyclic(order), factor * schedule.width, schedule.dropout).to(schedule.device)
    fitted(net, x, y, training, schedule, seed)
    test_x, test_y = resized(data.test.inputs, size).to(schedule.device), data.test.y.to(schedule.device)
    at = {angle: accuracy(net, test_x[: schedule.test], test_y[: schedule.test], angle) for angle in RIGHT_ANGLES}
    curve = [accuracy(net, test_x[: schedule.curve], test_y[: schedule.curve], angle) for angle in ANGLES]
    return {"net": name, "training": training, "seed": seed, "right_angles": at, "curve": curve}


def rows(seeds: int, trainings: list[str], schedule: Schedule, done: list[dict]) -> Iterator[dict]:
    """What is not done yet."""
    finished = {(row["net"], row["training"], row["seed"]) for row in done}
    for training in trainings:
        for seed in range(seeds):
            data = splits(seed)
            for name in NETS:
                if (name, training, seed) not in finished:
                    yield row(name, training, seed, schedule, data)


def show(found: list[dict]) -> None:
    for training in TRAININGS:
        for name in NETS:
            chosen = [row for row in found if (row["net"], row["training"]) == (name, training)]
            if chosen:
                cells = [interval([list(row["right_angles"].values())[i] for row in chosen]) for i in range(4)]
                cells.append(interval([float(np.mean(row["curve"])) for row in chosen]))
                print(f"| {training} | {name} | {len(chosen)} | " + " | ".join(cells) + " |")


def interval(values: list[float]) -> str:
    """Mean and half the width of Student's 95 % interval over seeds."""
    if len(values) < 2:
        return f"{np.mean(values):.1f}"
    reach = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):.1f} ± {reach:.1f}"
