"""Trials of `ls.infer` on clouds of points with planted symmetries: how often is the verdict right?

Each example is a chair of random proportions, 40 points of it, with a handle on its left that no mirror along x keeps.
A trial draws an extent of turns about the vertical axis, whether chairs tumble (all turns of space), whether half of
them are mirrored along x, and an extent of sizes.
"""

from __future__ import annotations

import math
import random
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from trials import run_trials

import learnsym as ls

TURNS, SIZES = (0.0, 40.0, 180.0), (0.0, 0.3)
POINTS = 40


def chairs(count: int, draw: torch.Generator) -> Tensor:
    """Chairs of random proportions, upright, with the seat at the origin: `(count, POINTS, 3)`."""
    u = torch.rand(count, POINTS, 3, generator=draw)
    width, depth, height = (low + 0.1 * torch.rand(count, 1, generator=draw) for low in (0.8, 0.7, 1.0))
    x, y, z = (u[..., 0] - 0.5) * width, (u[..., 1] - 0.5) * depth, 0.05 * u[..., 2]
    part = torch.arange(POINTS) % 4
    back, legs, handle = part == 1, part == 2, part == 3
    y, z = torch.where(back, -0.5 * depth, y), torch.where(back, u[..., 2] * height, z)
    x, y = torch.where(legs, x.sign() * 0.5 * width, x), torch.where(legs, y.sign() * 0.5 * depth, y)
    z = torch.where(legs, -0.8 * u[..., 2] * height, z)
    x, z = torch.where(handle, -0.5 * width, x), torch.where(handle, 0.35 + 0.1 * u[..., 2], z)
    y = torch.where(handle, y.abs(), y)
    return torch.stack([x, y, z], -1)


def planted(number: int) -> dict[str, Any]:
    """The truth of a trial."""
    draw = random.Random(number)
    tumble = draw.random() < 0.25
    turn = 180.0 if tumble else draw.choice(TURNS)
    return {"tumble": tumble, "turn": turn, "size": draw.choice(SIZES), "mirror": draw.random() < 0.5}


def about_z(truth: dict[str, Any], count: int) -> Tensor:
    """Turns about the vertical axis."""
    group = ls.groups.AxialSO2(2)
    return group.exp((2 * torch.rand(count, 1) - 1) * math.radians(truth["turn"]))


def moved(x: Tensor, truth: dict[str, Any], draw: torch.Generator) -> Tensor:
    """Chairs as the truth has them."""
    count = len(x)
    if truth["mirror"]:
        half = torch.rand(count, 1, generator=draw) < 0.5
        x = torch.cat([torch.where(half, -x[..., 0], x[..., 0])[..., None], x[..., 1:]], -1)
    x = x * torch.exp((2 * torch.rand(count, 1, 1, generator=draw) - 1) * truth["size"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (), generator=draw)))
        turns = ls.distributions.Haar(ls.groups.SO3()).sample((count,)) if truth["tumble"] else about_z(truth, count)
    return x @ turns.mT


def expected(truth: dict[str, Any]) -> dict[str, set[str]]:
    """The verdicts that are right, by candidate; mirrors of chairs in all poses may be left open."""
    around = "full" if truth["turn"] == 180 else "up to" if truth["turn"] else "absent"
    tumble = "full" if truth["tumble"] else "absent"
    mirror = {"full"} if truth["mirror"] else {"absent"}
    return {
        "rotation_x": {tumble},
        "rotation_z": {around},
        "rotation": {tumble},
        "mirror_x": mirror | ({"cannot be told"} if truth["tumble"] else set()),
        "scale": {"up to"} if truth["size"] else {"absent"},
    }


def trial(number: int, examples: int, steps: int, workers: int) -> dict[str, Any]:
    """One trial: what was planted, what was found, and whether it is right."""
    truth, began = planted(number), time.perf_counter()
    draw = torch.Generator().manual_seed(number)
    x = moved(chairs(examples, draw), truth, draw)
    right = expected(truth)
    only = ["rotation_x", "rotation_y", "rotation_z", "rotation", "mirror_x", "scale"]
    settings = ls.inference.InferenceConfig(only=only, examples=examples, steps=steps, workers=workers, seed=number)
    inference = ls.infer(x, config=settings, layout="cloud")
    found = {name: inference.finding(name) for name in right}
    return {
        "trial": number,
        **truth,
        "words": {name: finding.words for name, finding in found.items()},
        "right": {name: finding.status in right[name] for name, finding in found.items()},
        "falsely_present": [name for name, f in found.items() if f.is_present and right[name] == {"absent"}],
        "seconds": round(time.perf_counter() - began, 1),
    }


if __name__ == "__main__":
    run_trials(trial, __doc__, Path(__file__).with_name("clouds.json"), trials=10, examples=1000)
