"""How often is a latent symmetry found where there is none? Random chaotic maps of the plane and of space.

A one-parameter group of linear maps has no entropy, so that the motion of chaos itself is none in any coordinates; and
nothing else than its iterates commutes with typical chaos. Regular motion is no control: near a fixed point or a cycle
coordinates nearly always exist in which it has a linear symmetry.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from latents import DELTA, PAIRS, Sensors
from scipy.stats import binomtest
from torch import Tensor

from learnsym.measure import latent_symmetry
from learnsym.statistics import LEVEL

Row = dict[str, Any]
SPACES = {"plane": 2, "space": 3}
TRIES, LONG, LARGEST = 2000, 500, 1.2
"""Candidates at once, steps of the orbit that judges each, and largest coefficient, which is uniform at random."""
LOST = 50.0
"""Where an orbit counts as lost."""
LEAST_EXPONENT, LEAST_SPREAD, UNSETTLED = 0.1, 0.05, 0.1
"""Of Lyapunov, per step, and standard deviation of each number: less is no chaos, or not of all numbers; largest
relative change of a standard deviation in a step."""


def quadratic(coefficients: Tensor) -> Callable[[Tensor], Tensor]:
    """`z -> C (1, z_i, z_i z_j)` with coefficients `C` of shape `(..., d, M)`."""
    first, second = torch.triu_indices(*2 * (coefficients.shape[-2],))

    def step(z: Tensor) -> Tensor:
        terms = torch.cat([torch.ones_like(z[..., :1]), z, z[..., first] * z[..., second]], -1)
        return (coefficients @ terms[..., None])[..., 0]

    return step


def exponents(step: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
    """States after long orbits, and the largest exponents of Lyapunov of their second halves, per step."""
    tangent, total = torch.full_like(z, z.shape[-1] ** -0.5), torch.zeros(len(z), dtype=z.dtype)
    for k in range(LONG):
        # an orbit that is lost stays finite; its exponent is not used
        z, tangent = torch.func.jvp(step, (z.clamp(-2 * LOST, 2 * LOST),), (tangent,))
        growth = tangent.norm(dim=-1, keepdim=True).clamp(1e-12, 1e12)
        tangent = tangent / growth
        total += growth[:, 0].log() * (k >= LONG // 2)
    return z, 2 * total / LONG


def candidates(dim: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Coefficients of chaotic maps, a state of each, and its exponent of Lyapunov."""
    count = 1 + dim + dim * (dim + 1) // 2
    while True:
        drawn = LARGEST * (2 * torch.rand(TRIES, dim, count, generator=generator, dtype=torch.float64) - 1)
        ends, found = exponents(quadratic(drawn), torch.full((TRIES, dim), 0.1, dtype=torch.float64))
        chaotic = (ends.abs().amax(-1) < LOST) & (found > LEAST_EXPONENT)
        yield from zip(drawn[chaotic], ends[chaotic], found[chaotic].tolist(), strict=True)


def chaos(dim: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """States of the first chaotic map of a seed, their successors, and its exponent of Lyapunov.

    States are about their means over their standard deviations. Maps whose states are lost later, or are still on their
    way, are passed over.
    """
    generator = torch.Generator().manual_seed(seed)
    for coefficients, end, exponent in candidates(dim, generator):
        step = quadratic(coefficients)
        z = end + 1e-3 * torch.randn(PAIRS, dim, generator=generator, dtype=torch.float64)
        for _ in range(LONG):
            z = step(z)
        later, mean, scale = step(z), z.mean(0), z.std(0)
        settled = (later.std(0) / scale - 1).abs().max() < UNSETTLED
        if settled and z.abs().max() < LOST and scale.min() > LEAST_SPREAD:  # none holds for what is not finite
            return ((z - mean) / scale).float(), ((later - mean) / scale).float(), exponent
    raise AssertionError("candidates do not end")


def cases(seeds: int, steps: int) -> Iterator[tuple[str, int, int]]:
    """As many maps of the plane as of space."""
    return ((space, seed, steps) for seed in range(seeds) for space in SPACES)


def null(space: str, seed: int, steps: int) -> list[Row]:
    """What is found in one system, seen by sensors as in `latents`."""
    start, dim = time.process_time(), SPACES[space]
    z, later, exponent = chaos(dim, seed)
    sensors = Sensors(dim, torch.Generator().manual_seed(seed))
    found = latent_symmetry(sensors(z), sensors(later), dim, 1, DELTA, steps=steps, seed=seed)
    defect = found.basis.defects[0]
    row = {
        "space": space,
        "seed": seed,
        "exponent": exponent,
        "reconstruction": found.reconstruction,
        "prediction": found.prediction,
        "norm": float(found.basis.norms[0]),
        "defect": defect.estimate,
        "low": defect.ends[0],
        "high": defect.ends[1],
        "p": found.basis.p_values[0],
        "present": len(found.present),
        "verdict": "gated" if found.reason else found.basis.verdicts[0],
        "seconds": time.process_time() - start,
    }
    return [row]


def certified(row: Row, delta: float) -> bool:
    """Whether the answer would be a symmetry to within `delta`, states and changes included."""
    return max(row["reconstruction"], row["prediction"], row["high"]) <= delta and row["p"] <= 0.05


def summary(rows: Sequence[Row]) -> str:
    """Verdicts, and how often something is certified at two tolerances, with intervals by Clopper and Pearson."""
    lines = []
    for space in (*SPACES, "both"):
        own = [row for row in rows if space in (row["space"], "both")]
        verdicts = Counter(row["verdict"] for row in own)
        told = ", ".join(f"{verdict} {count}" for verdict, count in sorted(verdicts.items()))
        shares = [_share(sum(certified(row, delta) for row in own), len(own)) for delta in (DELTA, DELTA / 2)]
        lines.append(f"{space}: {told}; certified to within {DELTA:g}: {shares[0]}, {DELTA / 2:g}: {shares[1]}")
    return "\n".join(lines)


def _share(count: int, systems: int) -> str:
    low, high = binomtest(count, systems).proportion_ci(LEVEL, method="exact")
    return f"{count} of {systems}, {count / systems:.3f} [{low:.3f}, {high:.3f}]"
