"""Point symmetries of equations in two dimensions of space: heat and waves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Any

import torch
from equations import Equation, by_polynomial, derivatives, uniform
from torch import Tensor

from learnsym.measure import Jets

Row = dict[str, Any]
PLACES = ("t", "x", "y")
SLOPES = ["u_x", "u_y", "u_xx", "u_xy", "u_yy"]


def _places(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    ends = {"t": (0.0, 1.0), "x": (-1.0, 1.0), "y": (-1.0, 1.0)}
    return {letter: uniform(count, *end, generator) for letter, end in ends.items()}


def _waves(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Wave vectors, amplitudes and phases of one solution for each point."""
    k, a = (torch.randn(count, 4, *size, generator=generator, dtype=torch.float64) for size in ((2,), ()))
    return k, a, 2 * math.pi * torch.rand(count, 4, generator=generator, dtype=torch.float64)


def _along(k: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return k[..., 0] * x[:, None] + k[..., 1] * y[:, None]


def _heat(count: int, generator: torch.Generator) -> Jets:
    k, a, phase = _waves(count, generator)

    def u(t: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return (a * torch.exp(-k.square().sum(-1) * t[:, None]) * torch.cos(_along(k, x, y) + phase)).sum(1)

    return derivatives(u, ["u_t", *SLOPES, "u_tx", "u_ty"], **_places(count, generator))


def _wave(count: int, generator: torch.Generator) -> Jets:
    k, a, phase = _waves(count, generator)

    def u(t: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return (a * torch.cos(_along(k, x, y) - k.norm(dim=-1) * t[:, None] + phase)).sum(1)

    names = ["u_t", *SLOPES, "u_tt", "u_tx", "u_ty"]
    return derivatives(u, names, **_places(count, generator))


def _harmonic(sign: dict[str, float]) -> list[dict[str, float]]:
    """Solutions of degree two at most that are added: all lines, products, and squares whose traces cancel."""
    lines = [{f"∂u {name}": 1.0} for name in ("1", *sign)]
    products = [{f"∂u {a}{b}": 1.0} for a, b in combinations_with_replacement(sign, 2) if a != b]
    first, *rest = sign
    squares = [{f"∂u {first * 2}": 1.0, f"∂u {other * 2}": -sign[first] / sign[other]} for other in rest]
    return lines + products + squares


def _conformal() -> list[dict[str, float]]:
    """Inversions of space-time in the metric (-1, 1, 1): `2 q_a q^b ∂_b - q² ∂_a - q_a u ∂_u`."""
    metric = {"t": -1.0, "x": 1.0, "y": 1.0}
    found = []
    for a in PLACES:
        generator: dict[str, float] = {f"∂u {a}u": -metric[a]}
        for b in PLACES:
            name = f"∂{b} {''.join(sorted(a + b))}"
            generator[name] = generator.get(name, 0.0) + 2 * metric[a]
            name = f"∂{a} {b * 2}"
            generator[name] = generator.get(name, 0.0) - metric[b]
        found.append(generator)
    return found


_SHIFTS = [{f"∂{letter} 1": 1.0} for letter in PLACES]
_TURN = {"∂x y": -1.0, "∂y x": 1.0}
EQUATIONS: dict[str, Equation] = {
    "heat in a plane": Equation(
        _heat,
        lambda z: z[:, 6:7] + z[:, 8:9],
        (
            *_SHIFTS,
            _TURN,
            {"∂t t": 2.0, "∂x x": 1.0, "∂y y": 1.0},
            {"∂u u": 1.0},
            *({f"∂{x} t": 2.0, f"∂u {x}u": -1.0} for x in "xy"),
            *({f"∂u {name}": 1.0} for name in ("1", "x", "y", "xy")),
            *({f"∂u {x}{x}": 1.0, "∂u t": 2.0} for x in "xy"),
        ),
        ("t", "x", "y", "u", *SLOPES),
        variables=(*PLACES, "u"),
    ),
    "wave in a plane": Equation(
        _wave,
        lambda z: z[:, 7:8] + z[:, 9:10],
        (
            *_SHIFTS,
            _TURN,
            {"∂t x": 1.0, "∂x t": 1.0},
            {"∂t y": 1.0, "∂y t": 1.0},
            {"∂t t": 1.0, "∂x x": 1.0, "∂y y": 1.0},
            *_conformal(),
            {"∂u u": 1.0},
            *_harmonic({"t": -1.0, "x": 1.0, "y": 1.0}),
        ),
        ("t", "x", "y", "u", "u_t", *SLOPES),
        ("u_tt",),
        variables=(*PLACES, "u"),
    ),
}
"""Equations whose algebras within the library are known."""


def cases(seeds: int) -> Iterator[tuple[str, int]]:
    """Each equation, each seed."""
    return ((name, seed) for name in EQUATIONS for seed in range(seeds))


def equation(name: str, seed: int) -> list[Row]:
    """Certificates by a polynomial."""
    return list(by_polynomial(name, EQUATIONS[name], (2000,), (0.01,), seed))
