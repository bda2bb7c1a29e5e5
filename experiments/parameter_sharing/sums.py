"""Sums of numbers by a network that may treat each position in its own way. The task of section 5.2."""

from __future__ import annotations

import time
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

import learnsym as ls
from learnsym.objectives import ImplicitBilevel, Regularised, Supervised
from learnsym.objectives.terms import Sharing
from learnsym.relax.sharing import Assignment, FixedAssignment, SharedWeight
from learnsym.statistics import over_seeds
from learnsym.statistics.partition import partition_distance

TRAIN, HELD_OUT, TEST, LARGEST = 100, 150, 20000, 10
EMBEDDED, HIDDEN, ORDER = 64, 50, 10
PACES = {"": (400, 0.1), "slower": (800, 0.03)}
"""Steps of the search, as many of the training after it, and rate of the assignment, by the end of an arm's name."""
TASKS = {"sum of 4": [1] * 4, "sum of 10": [1] * 10}
ARMS = {
    "sum of 4": {"no sharing": 5, "oracle": 5, "columns": 5, "nuclear": 3},
    "sum of 10": {
        f"{arm}{pace}": 3 for pace in ("", ", slower") for arm in ("no sharing", "oracle", "columns", "nuclear")
    },
}
"""Arms of each task, with their seeds."""
Pairs = tuple[Tensor, Tensor]


class Sums(nn.Module):
    """`f(x) = a · Σ_k relu(W_k e(x_k) + b_k) + c`: one embedding, and weights of each position shared through `A`."""

    def __init__(self, assignment: Assignment | FixedAssignment) -> None:
        super().__init__()
        self.embed = nn.Embedding(LARGEST + 1, EMBEDDED)
        self.weight = SharedWeight(assignment, (EMBEDDED + 1, HIDDEN), EMBEDDED**-0.5)
        self.head = nn.Linear(HIDDEN, 1)

    def forward(self, x: Float[Tensor, "B K"]) -> Float[Tensor, "B"]:
        e, W = self.embed(x.long()), self.weight()
        hidden = torch.einsum("bke,keh->bkh", e, W[:, :-1]) + W[:, -1]
        return self.head(hidden.relu().sum(1)).squeeze(-1)


def l1(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean absolute error."""
    return (outputs - targets).abs().mean()


def numbers(signs: list[int], count: int, noise: float, generator: torch.Generator) -> Pairs:
    """Integers from 1 to 10 and their sum with signs, with uniform noise of `± noise`."""
    x = torch.randint(1, LARGEST + 1, (count, len(signs)), generator=generator).float()
    return x, x @ torch.tensor(signs).float() + noise * (2 * torch.rand(count, generator=generator) - 1)


def truth(signs: list[int]) -> Tensor:
    """Positions with one sign are one block."""
    return torch.tensor([int(sign < 0) for sign in signs])


def row(task: str, arm: str, seed: int) -> dict[str, Any]:
    """One training: errors on clean sums, in their own unit, and the blocks."""
    signs, generator = TASKS[task], torch.Generator().manual_seed(2022 + seed)
    kind, _, pace = arm.partition(", ")
    steps, rate = PACES[pace]
    train, held_out, test = (
        numbers(signs, count, noise, generator) for count, noise in ((TRAIN, 0.5), (HELD_OUT, 0.5), (TEST, 0.0))
    )
    both = torch.cat([train[0], held_out[0]]), torch.cat([train[1], held_out[1]])
    middle, unit = both[1].mean(), both[1].std()

    def standard(pairs: Pairs) -> Pairs:
        return pairs[0], (pairs[1] - middle) / unit

    torch.manual_seed(seed)
    optimiser = ls.training.OptimiserConfig(lr=3e-3, symmetry_lr=rate)
    begun, known = time.process_time(), {"no sharing": torch.arange(len(signs)), "oracle": truth(signs)}
    net = Sums(FixedAssignment(known[kind]) if kind in known else Assignment(len(signs)))
    if kind not in known:
        held = Regularised(Supervised(l1), [Sharing(norm=kind)])
        objective = ImplicitBilevel(held, standard(held_out), batch_size=HELD_OUT, order=ORDER)
        ls.training.fit(net, objective, [standard(train)], steps=steps, optimiser=optimiser, seed=seed)
        net.weight = net.weight.hardened()
    # as many steps for all arms of a pace
    steps = steps if kind not in known else 2 * steps
    ls.training.fit(net, Supervised(l1), [standard(both)], steps=steps, optimiser=optimiser, seed=seed)
    seconds = time.process_time() - begun
    with torch.no_grad():
        answers = net.eval()(test[0]) * unit + middle
    labels = net.weight.assignment.labels()
    return {
        "task": task,
        "arm": arm,
        "seed": seed,
        "absolute error": float((answers - test[1]).abs().mean()),
        "rounded": float((answers.round() == test[1]).double().mean()),
        "labels": labels.tolist(),
        "distance": partition_distance(labels, truth(signs)),
        "seconds": seconds,
    }


def rows(task: str) -> list[dict[str, Any]]:
    """One row for each arm and seed of a task."""
    found = []
    for arm, seeds in ARMS[task].items():
        found += [row(task, arm, seed) for seed in range(seeds)]
        print(table(found[-seeds:]), flush=True)
    return found


def table(found: list[dict[str, Any]]) -> str:
    """Errors, rounded accuracies, distances and time over seeds."""
    lines = ["| task | arm | absolute error | rounded accuracy | distances | seconds |", "|" + "---|" * 6]
    for task, arm in dict.fromkeys((row["task"], row["arm"]) for row in found):
        own = [row for row in found if (row["task"], row["arm"]) == (task, arm)]
        error = over_seeds([row["absolute error"] for row in own])
        rounded = sum(row["rounded"] for row in own) / len(own)
        seconds = sum(row["seconds"] for row in own) / len(own)
        distances = ", ".join(str(row["distance"]) for row in own)
        lines.append(f"| {task} | {arm} | {error} | {rounded:.4f} | {distances} | {seconds:.1f} |")
    return "\n".join(lines)
