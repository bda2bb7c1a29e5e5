"""A convolution seen as a matrix of free weights: are the taps of its kernel found? The task of section 5.3."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from learnsym.relax.sharing import LinearProblem, learn_sharing, shared_fit
from learnsym.statistics import over_seeds
from learnsym.statistics.partition import partition_distance

LENGTH, TAPS, TRAIN, HELD_OUT = 15, 5, 50, 100
NOISES = {"std 0.1": 0.1, "variance 0.1": 0.1**0.5}
SEARCHES: dict[str, dict[str, Any]] = {
    "columns": {},
    "columns, 20 blocks": {"blocks": 20},
    "nuclear, 20 blocks": {"blocks": 20, "norm": "nuclear"},
    "nuclear, entropy 5, 20 blocks": {"blocks": 20, "norm": "nuclear", "entropy": 5.0},
}


def kernel() -> tuple[Tensor, Tensor]:
    """The matrix `(outputs, length)` of a convolution with taps 1, 3, 5, ..., and its blocks: a tap each, and zeros."""
    outputs = LENGTH - TAPS + 1
    tap = torch.arange(LENGTH) - torch.arange(outputs)[:, None]
    inside = (tap >= 0) & (tap < TAPS)
    return torch.where(inside, 2.0 * tap + 1, 0.0), torch.where(inside, tap, TAPS).flatten()


def problem(examples: int, noise: float, generator: torch.Generator) -> LinearProblem:
    """Examples of the map with noise, linear in all its weights."""
    W, _ = kernel()
    x = torch.randn(examples, LENGTH, generator=generator)
    y = x @ W.mT + noise * torch.randn(examples, len(W), generator=generator)
    # y_o = Σ_oi x_i W_oi
    design = torch.einsum("op,ni->nopi", torch.eye(len(W)), x).flatten(2)
    return LinearProblem(design, y)


def rows(seeds: int = 10) -> list[dict[str, Any]]:
    """One row for each noise, arm and seed."""
    found, (W, labels) = [], kernel()
    for name, noise in NOISES.items():
        generators = [torch.Generator().manual_seed(2022 + seed) for seed in range(seeds)]
        train, held_out = (_stacked([problem(n, noise, g) for g in generators]) for n in (TRAIN, HELD_OUT))
        arms = {"no sharing": torch.arange(len(labels)).expand(seeds, -1), "oracle": labels.expand(seeds, -1)}
        seconds: dict[str, float] = {}
        for arm, settings in SEARCHES.items() if noise == 0.1 else [("columns", SEARCHES["columns"])]:
            begun = time.process_time()
            arms[arm] = learn_sharing(train, held_out, restarts=1, **settings).labels
            seconds[arm] = time.process_time() - begun
        for arm, each in arms.items():
            weights = shared_fit(train.joined(held_out), each)
            # for x ~ N(0, 1) the expected squared error of clean outputs, exactly
            error = (weights - W.flatten()).square().sum(1) / len(W)
            for seed in range(seeds):
                distance = partition_distance(labels, each[seed])
                own = {"noise": name, "arm": arm, "seed": seed, "error": float(error[seed]), "distance": distance}
                found.append({**own, "seconds of all": seconds.get(arm)})
        print(table([row for row in found if row["noise"] == name]), flush=True)
    return found


def _stacked(problems: list[LinearProblem]) -> LinearProblem:
    return LinearProblem(torch.stack([p.design for p in problems]), torch.stack([p.targets for p in problems]))


def table(found: list[dict[str, Any]]) -> str:
    """Errors over seeds and distances."""
    lines = ["| noise | arm | 10⁴ × squared error | distances | seconds of all seeds |", "|" + "---|" * 5]
    for noise, arm in dict.fromkeys((row["noise"], row["arm"]) for row in found):
        own = [row for row in found if (row["noise"], row["arm"]) == (noise, arm)]
        error = over_seeds([1e4 * row["error"] for row in own])
        distances, seconds = [row["distance"] for row in own], own[0]["seconds of all"]
        shown = "" if seconds is None else f"{seconds:.0f}"
        exact = f"{sum(d == 0 for d in distances)} of {len(own)} exact, mean {sum(distances) / len(own):.1f}"
        lines.append(f"| {noise} | {arm} | {error} | {exact} | {shown} |")
    return "\n".join(lines)
