"""Noisy turns of one pattern: which learned matrices are the permutations that turn it? A toy task of the second paper.

x = P_g x_0 + noise with `g` a quarter turn at random; the model knows neither the pattern nor the turns.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

import learnsym as ls
from learnsym.equivariant import FieldType
from learnsym.groups import Cyclic
from learnsym.objectives import Regularised, Supervised
from learnsym.objectives.terms import Moves
from learnsym.relax.sharing import LearnedMoves, convex_coefficients, group_moves, kinds
from learnsym.statistics import over_seeds

EXAMPLES, NOISE, TURNS, SIZES = 200, 0.1, 4, (3, 5)
TEMPERATURES = (1.0, 0.3, 0.1, NOISE**2)
STEPS = 150
"""Of each temperature."""
WEIGHT = 1e-3
"""Of the norm of the matrices: 0.1, as published, times the variance of the noise."""
OPTIMISER = ls.training.OptimiserConfig(lr=0.01, symmetry_lr=0.1, weight_decay=0.0, schedule="constant")


class Orbit(nn.Module):
    """Squared distances of inputs to the members `R_h w` of a learned orbit."""

    def __init__(self, start: Float[Tensor, "n"], kind: str) -> None:
        super().__init__()
        self.moves, self.w = LearnedMoves(TURNS, len(start), kind), nn.Parameter(start.clone())

    def forward(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B H"]:
        return (x[:, None] - self.moves.matrices() @ self.w).square().sum(-1)


def softly_nearest(temperature: float) -> Supervised:
    """`-2 T log Σ_h exp(-|x - R_h w|² / 2T)`: the negative log likelihood of a mixture of normal laws, times `2T`."""

    def loss(distances: Tensor, _: Tensor) -> Tensor:
        return -2 * temperature * (-distances / (2 * temperature)).logsumexp(1).mean()

    return Supervised(loss)


def row(size: int, kind: str, seed: int) -> dict[str, Any]:
    """One training: what each matrix is, and how far the members of the orbit are from the data."""
    generator = torch.Generator().manual_seed(2022 + seed)
    turns = group_moves(FieldType.trivial(Cyclic(TURNS), 1), size).float()
    pattern = torch.randn(size**2, generator=generator)
    drawn = torch.randint(TURNS, (EXAMPLES,), generator=generator)
    x = turns[drawn] @ pattern + NOISE * torch.randn(EXAMPLES, size**2, generator=generator)
    torch.manual_seed(seed)
    model, begun = Orbit(x[0], kind), time.process_time()
    for temperature in TEMPERATURES:
        objective = Regularised(softly_nearest(temperature), [Moves(WEIGHT)])
        batch = x, torch.zeros(EXAMPLES)
        ls.training.fit(model, objective, [batch], steps=STEPS, optimiser=OPTIMISER, seed=seed)
    seconds = time.process_time() - begun
    with torch.no_grad():
        error = float(model(x).amin(1).mean() / size**2)
        coefficients, left = convex_coefficients(model.moves.matrices()[1:], turns)
    dominant, found = coefficients.amax(1), coefficients.argmax(1).tolist()
    return {
        "size": size,
        "kind": kind,
        "seed": seed,
        "error": error,
        "coefficients": coefficients.tolist(),
        "dominant": dominant.tolist(),
        "left over": left.tolist(),
        "distinct": sorted(found) == [1, 2, 3],
        "found": sorted(found) == [1, 2, 3] and float(dominant.min()) >= 0.6,
        "seconds": seconds,
    }


def rows(seeds: int = 5) -> list[dict[str, Any]]:
    """One row for each size, kind of matrices and seed."""
    found = []
    for size in SIZES:
        for kind in kinds:
            found += [row(size, kind, seed) for seed in range(seeds)]
            print(table(found[-seeds:]), flush=True)
    return found


def table(found: list[dict[str, Any]]) -> str:
    """Dominant coefficients, whether they are the three turns, and what is left over."""
    header = (
        "pixels",
        "matrices",
        "error / noise",
        "dominant coefficients",
        "distinct",
        "found",
        "left over",
        "seconds",
    )
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    for size, kind in dict.fromkeys((row["size"], row["kind"]) for row in found):
        own = [row for row in found if (row["size"], row["kind"]) == (size, kind)]
        error = sum(row["error"] for row in own) / len(own) / NOISE**2
        # the three matrices of a seed are not independent of each other
        dominant, left = (over_seeds([sum(r[key]) / 3 for r in own]) for key in ("dominant", "left over"))
        counts = [f"{sum(row[key] for row in own)} of {len(own)}" for key in ("distinct", "found")]
        seconds = sum(row["seconds"] for row in own) / len(own)
        cells = (f"{size} × {size}", kind, f"{error:.2f}", *(_shown(dominant), *counts, _shown(left)), f"{seconds:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(interval: ls.statistics.Interval) -> str:
    return "{:.2f} [{:.2f}, {:.2f}]".format(interval.estimate, *interval.ends)
