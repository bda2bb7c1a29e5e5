"""Latent symmetry: an oscillator that turns, and chaos that does not, seen through many non-linear sensors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from learnsym.measure import LatentSymmetry, latent_symmetry

Row = dict[str, Any]
PAIRS, SENSORS, PARTS = 8000, 30, 20
DELTA = 0.2


def _turning(z: Tensor) -> Tensor:
    """One complex mode of a lambda-omega system: `A' = (1 - |A|²) A + i (1 + |A|²) A`."""
    square = z.square().sum(1, keepdim=True)
    turned = torch.stack([-z[:, 1], z[:, 0]], 1)
    return (1 - square) * z + (1 + square) * turned


def _lorenz(z: Tensor) -> Tensor:
    """In units in which its attractor has a size of about 1."""
    u, v, w = (10 * z).unbind(1)
    w = w + 25
    return torch.stack([10 * (v - u), u * (28 - w) - v, u * v - 8 / 3 * w], 1) / 10


def advanced(field: Callable[[Tensor], Tensor], z: Tensor, span: float, parts: int = PARTS) -> Tensor:
    """By Runge and Kutta's steps of order four."""
    step = span / parts
    for _ in range(parts):
        a = field(z)
        b = field(z + step / 2 * a)
        c = field(z + step / 2 * b)
        z = z + step / 6 * (a + 2 * b + 2 * c + field(z + step * c))
    return z


def turning(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Amplitudes about the cycle, and 0.2 later."""
    turn = 2 * torch.pi * torch.rand(PAIRS, generator=generator)
    radius = 0.5 + torch.rand(PAIRS, generator=generator)
    z = radius[:, None] * torch.stack([turn.cos(), turn.sin()], 1)
    return z, advanced(_turning, z, 0.2)


def chaotic(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """States on the attractor of Lorenz, each of its own trajectory, and 0.1 later."""
    z = torch.randn(PAIRS, 3, generator=generator)
    for _ in range(20):
        z = advanced(_lorenz, z, 0.25)
    return z, advanced(_lorenz, z, 0.1)


class Sensors:
    """`x = M tanh(N z + n)`, at random for each seed."""

    def __init__(self, dim: int, generator: torch.Generator) -> None:
        self.first = 1.2 * torch.randn(SENSORS, dim, generator=generator)
        self.offset = 0.5 * torch.randn(SENSORS, generator=generator)
        self.second = torch.randn(SENSORS, SENSORS, generator=generator) / SENSORS**0.5

    def __call__(self, z: Tensor) -> Tensor:
        return (z @ self.first.T + self.offset).tanh() @ self.second.T


def action_error(found: LatentSymmetry, z: Tensor, sensors: Sensors) -> float | None:
    """Root mean square difference of moved states from turned ones, over their standard deviation; angles are those
    that the eigenvalues of the generator say, up to the sign."""
    if len(found.present) == 0:
        return None
    matrix = found.present[0]
    speed = float(torch.linalg.eigvals(matrix).imag.abs().max())
    errors = []
    for sign in (1, -1):
        square = []
        for c in torch.linspace(-3, 3, 7):
            turn = sign * speed * c
            turned = z @ torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])]).T
            square.append((found.act(c * matrix, sensors(z)) - sensors(turned)).square().mean())
        errors.append(float((torch.stack(square).mean() / sensors(z).var(0).mean()).sqrt()))
    return min(errors)


SYSTEMS = {"lambda-omega": (turning, 2), "Lorenz": (chaotic, 3)}
"""States and their successors, and the number of latent numbers."""


def cases(seeds: int, steps: int) -> Iterator[tuple[str, int, int]]:
    """The oscillator with two latent numbers, chaos with three."""
    return ((name, seed, steps) for name in SYSTEMS for seed in range(seeds))


def latent(name: str, seed: int, steps: int) -> list[Row]:
    """What is found in one system."""
    start, (states, dim) = time.process_time(), SYSTEMS[name]
    generator = torch.Generator().manual_seed(seed)
    z, later = states(generator)
    sensors = Sensors(dim, generator)
    found = latent_symmetry(sensors(z), sensors(later), dim, 1, DELTA, steps=steps, seed=seed)
    basis = found.basis
    row = {
        "system": name,
        "seed": seed,
        "reconstruction": found.reconstruction,
        "prediction": found.prediction,
        "present": len(found.present),
        "norm": float(basis.norms[0]),
        "defect": basis.defects[0].estimate,
        "low": basis.defects[0].ends[0],
        "high": basis.defects[0].ends[1],
        "p": basis.p_values[0],
        "reach": basis.reaches[0],
        "verdict": basis.verdicts[0],
        "action": action_error(found, z[-1000:], sensors) if name == "lambda-omega" else None,
        "matrix": basis.matrices[0].tolist(),
        "reason": found.reason,
        "seconds": time.process_time() - start,
    }
    return [row]
