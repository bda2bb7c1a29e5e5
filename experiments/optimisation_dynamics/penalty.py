"""Is the equivariant subspace an attractor? Starts beside it, plain and augmented, with a penalty on what leaves it."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from networks import OBJECTIVES, RATE, digits, equivariant, freed, of, trained

import learnsym as ls
from learnsym.objectives import Regularised
from learnsym.objectives.terms import ProjectionPenalty

STRENGTHS = (0.0, 0.1, 1.0, 10.0)
EXAMPLES, EXACT, EPOCHS, NOISE = 4000, 20, 3, 1e-3


def rows(seeds: int) -> list[dict[str, Any]]:
    """Distances of all trainings and strengths from one perturbed start a seed."""
    data, found = digits("train", EXAMPLES), []
    for seed in range(seeds):
        source = equivariant("all", seed, data, EXACT, RATE)
        for training, objective in OBJECTIVES.items():
            for strength in STRENGTHS:
                net = freed(source, "all", seed)
                perturb(net, seed)
                penalised = Regularised(objective, [ProjectionPenalty(strength / 2)])
                distances = trained(net, penalised, data, EPOCHS, RATE / 2, seed)
                found.append(
                    {
                        "training": training,
                        "strength": strength,
                        "seed": seed,
                        "start": distances[0],
                        "end": distances[-1],
                        "steps": len(distances) - 1,
                        "pure penalty": distances[0] * abs(1 - RATE / 2 * strength) ** (len(distances) - 1),
                        "falls": all(b < a for a, b in itertools.pairwise(distances)),
                        "distances": distances[::10],
                    }
                )
    return found


@torch.no_grad()
def perturb(net: ls.relax.Spanned, seed: int) -> None:
    """Normal noise across the equivariant subspace."""
    generator = torch.Generator().manual_seed(1000 + seed)
    for space, coordinates in zip(net.spaces.values(), net.coordinates, strict=True):
        across = space.across.to(coordinates)
        noise = NOISE * torch.randn(coordinates.shape, generator=generator)
        coordinates += noise @ across @ across.mT


def table(rows: list[dict[str, Any]]) -> str:
    """The share of the start's distance that is left, beside the one that the penalty alone would leave."""
    lines = ["| training | γ | distance at the end / start | the penalty alone | falls at every step |"]
    lines.append("|---|---|---|---|---|")
    for training in OBJECTIVES:
        for strength in STRENGTHS:
            some = of(rows, training=training, strength=strength)
            left = ls.statistics.over_seeds([row["end"] / row["start"] for row in some])
            alone = some[0]["pure penalty"] / some[0]["start"]
            falls = sum(row["falls"] for row in some)
            shown = str(left).removesuffix(" at 90%")
            lines.append(f"| {training} | {strength:g} | {shown} | {alone:.4f} | {falls} of {len(some)} |")
    return "\n".join(lines)
