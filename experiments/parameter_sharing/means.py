"""Means of a Gaussian, some of them equal: which ones? The task of section 5.1."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from learnsym.relax.sharing import LinearProblem, learn_sharing, shared_fit
from learnsym.statistics import over_seeds
from learnsym.statistics.partition import partition_distance, random_partition, set_partitions

TRAIN, HELD_OUT, APART, TRIALS = 30, 70, 3.0, 200
CELLS = [(K, r) for K in (3, 5, 10, 20) for r in (1, 3)]
SEARCHES: dict[str, dict[str, Any]] = {
    "columns": {},
    "columns, weight 0.01": {"weight": 0.01},
    "nuclear": {"norm": "nuclear"},
    "nuclear, entropy 5": {"norm": "nuclear", "entropy": 5.0},
}
LARGEST = {"nuclear": 10, "nuclear, entropy 5": 10, "all partitions": 6}
"""Items up to which an arm is run: singular values, and partitions, of more cost too much here."""
STEPS = 500


def problems(items: int, blocks: int, seed: int) -> tuple[Tensor, Tensor, LinearProblem, LinearProblem]:
    """Partitions, means, training and held-out examples of all trials."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.stack([random_partition(items, blocks, generator) for _ in range(TRIALS)])
    means = APART * torch.stack([torch.randperm(blocks, generator=generator)[each] for each in labels])
    x = means[:, None] + torch.randn(TRIALS, TRAIN + HELD_OUT, items, generator=generator)
    parts = [LinearProblem(torch.eye(items).expand(*part.shape, items), part) for part in x.split([TRAIN, HELD_OUT], 1)]
    return labels, means, parts[0], parts[1]


def exhaustive(train: LinearProblem, held_out: LinearProblem) -> Tensor:
    """Of all partitions the one with the lowest held-out loss."""
    every = torch.tensor(list(set_partitions(train.design.shape[-1])))
    loss = torch.stack([_held_out_loss(each, train, held_out) for each in every])
    return every[loss.argmin(0)]


def _held_out_loss(labels: Tensor, train: LinearProblem, held_out: LinearProblem) -> Tensor:
    w = shared_fit(train, labels.expand(len(train.targets), -1))
    return (held_out.targets - w[:, None]).square().mean((1, 2))


def rows(seed: int = 2022) -> list[dict[str, Any]]:
    """One row for each cell and arm, over trials."""
    found = []
    for items, blocks in CELLS:
        labels, means, train, held_out = problems(items, blocks, 1000 * items + blocks + seed)
        both = train.joined(held_out)
        arms = {"no sharing": torch.arange(items).expand(TRIALS, -1), "oracle": labels}
        seconds: dict[str, float] = {}
        if items <= LARGEST["all partitions"]:
            arms["all partitions"] = exhaustive(train, held_out)
        for name, settings in SEARCHES.items():
            if items <= LARGEST.get(name, items):
                begun = time.process_time()
                arms[name] = learn_sharing(train, held_out, steps=STEPS, seed=seed, **settings).labels
                seconds[name] = time.process_time() - begun
        errors = {name: (shared_fit(both, each) - means).square().mean(1).double() for name, each in arms.items()}
        for name, each in arms.items():
            distance = [partition_distance(a, b) for a, b in zip(labels, each, strict=True)]
            against = errors[name] - errors["all partitions"] if "all partitions" in errors else None
            found.append(
                {
                    "K": items,
                    "r": blocks,
                    "arm": name,
                    "error": interval(errors[name]),
                    "over all partitions": None if against is None else interval(against),
                    "distance": sum(distance) / TRIALS,
                    "distance of the first ten": sum(distance[:10]) / 10,
                    "exact": sum(d == 0 for d in distance) / TRIALS,
                    "seconds": seconds.get(name),
                }
            )
            print(found[-1], flush=True)
    return found


def interval(values: Tensor) -> list[float]:
    """Mean and ends of the 90 % interval over trials."""
    if float(values.std()) == 0:
        return [float(values.mean())] * 3
    found = over_seeds(values.tolist())
    return [found.estimate, *found.ends]


def table(found: list[dict[str, Any]]) -> str:
    """Error over the exact one of no sharing, distance and exact share."""
    lines = ["| K | r | arm | 1000 × squared error | distance | exact | seconds |", "|" + "---|" * 7]
    for row in found:
        error = "{:.2f} [{:.2f}, {:.2f}]".format(*(1000 * value for value in row["error"]))
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
        own = f"{row['distance']:.2f} | {100 * row['exact']:.0f} % | {seconds} |"
        lines.append(f"| {row['K']} | {row['r']} | {row['arm']} | {error} | {own}")
    return "\n".join(lines)
