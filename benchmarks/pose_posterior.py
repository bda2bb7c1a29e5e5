"""A law of poses against a plain training: rotations of 2,000 and of 50,000 images of 28 x 28 pixels.

The plain training is that of the default network with the default number of steps for 2,000 images, and of ten passes
for 50,000; of it `STEPS` steps are timed, and multiplied. The other opponent is the training of the readers themselves:
what the law costs beyond it is reading, fitting, bootstrap and controls. A law of 50,000 images takes the default
number of examples among them. The images are spots within 60 degrees and 180 degrees of a common pose, and spots at all
angles that are centred a third of a pixel off the middle: a cue, without which they are read again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.timing import interleaved, ratio
from learnsym.augment import Plain
from learnsym.measure import pose_posterior
from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.study import Study
from learnsym.nets import CNN
from learnsym.objectives import cross_entropy
from learnsym.symmetry import symmetry_by_name
from learnsym.training import TrainConfig

SIDE, CLASSES, STEPS, PASSES = 28, 10, 20, 10
TARGETS = {2_000: 0.7, 50_000: 0.3}
OWN_TARGET = 1.5
RANGES = (60.0, 180.0)
OFF = 1 / 3
"""Pixels by which spots with a cue are off the middle."""


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Two rows per number of images and range. A law takes half a minute: three calls of each are measured at most."""
    images = [(count, f"within {reach:g} degrees", spots(count, reach)) for count in TARGETS for reach in RANGES]
    images.append((2_000, "at all angles, off the middle", spots(2_000, 180.0, OFF)))
    return [row for count, what, x in images for row in _rows(x.to(device), f"{count:,} images {what}", repeats)]


def spots(count: int, reach: float, off: float = 0.0) -> Tensor:
    """Images of four spots in fixed relative places, jittered, turned by up to `reach` degrees about a point."""
    generator = torch.Generator().manual_seed(0)
    place = torch.tensor([[0.6, 0.0], [0.3, 0.1], [0.0, 0.45], [-0.3, -0.2]])
    place = place + 0.05 * torch.randn(count, 4, 2, generator=generator)
    angle = torch.deg2rad(reach * (2 * torch.rand(count, generator=generator) - 1))[:, None]
    x = place[..., 0] * angle.cos() - place[..., 1] * angle.sin()
    y = place[..., 0] * angle.sin() + place[..., 1] * angle.cos()
    u = (torch.arange(SIDE) + 0.5 - off) * 2 / SIDE - 1
    # a spot is a product of a row and a column, which keeps memory linear in the pixels
    across, along = (torch.exp(-((u - at[..., None]) / 0.2).square()) for at in (x, -y))
    return torch.einsum("nsy,nsx->nyx", along, across)[:, None]


def _rows(x: Tensor, what: str, repeats: int) -> list[dict[str, Any]]:
    config = TrainConfig()
    symmetry = symmetry_by_name("rotation2d")
    study = Study(PoseAxis.of(symmetry, "rotation", None), None, 400, 2, 0.9, 200, 0)
    ways = {"law": lambda: pose_posterior(x, symmetry), "readers": lambda: study.trained(x), "part": _training(x)}
    calls = min(repeats, 3)
    times = interleaved(ways, repeats=calls, warmup=0, device=x.device.type)
    steps = config.steps if len(x) == min(TARGETS) else PASSES * math.ceil(len(x) / config.batch_size)
    times = {"law": times["law"], "readers": times["readers"], "plain": times["part"] * steps / STEPS}
    note = {"note": f"calls of each way: {calls}"}
    return [
        _row(f"law of poses / plain training of {steps:,} steps, {what}", times, "plain", TARGETS[len(x)]) | note,
        _row(f"law of poses / training of its readers, {what}", times, "readers", OWN_TARGET) | note,
    ]


def _row(name: str, times: dict[str, float], opponent: str, target: float) -> dict[str, Any]:
    chosen = {key: times[key] for key in ("law", opponent)}
    return {"name": name, "ratio": ratio(times, "law", opponent), "target": target, "times": chosen}


def _training(x: Tensor) -> Callable[[], object]:
    model = Plain(CNN(1, CLASSES, size=SIDE)).to(x.device)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    y = torch.randint(CLASSES, (len(x),), device=x.device)
    batch = TrainConfig().batch_size

    def train() -> None:
        for step in range(STEPS):
            rows = slice(step * batch % (len(x) - batch), None)
            optimiser.zero_grad()
            cross_entropy(model(x[rows][:batch]), y[rows][:batch]).backward()
            optimiser.step()

    return train
