"""Vector fields whose linear symmetries are known, as polynomials with rational coefficients; and simulated tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class System:
    """A field on a box, the degree of polynomials that hold it, and the dimension of the linear maps that commute."""

    field: Callable[[Tensor], Tensor]
    n: int
    degree: int
    symmetries: int
    centre: float = 0.0


def _linear(*rows: tuple[float, ...]) -> Callable[[Tensor], Tensor]:
    matrix = torch.tensor(rows, dtype=torch.float64)
    return lambda x: x @ matrix.mT


def _hopf(x: Tensor) -> Tensor:
    u, v = x.unbind(1)
    return torch.stack([u - v - u**3 - u * v**2, u + v - u**2 * v - v**3], 1)


def _van_der_pol(x: Tensor) -> Tensor:
    u, v = x.unbind(1)
    return torch.stack([v, (1 - u**2) * v - u], 1)


def _duffing(x: Tensor) -> Tensor:
    u, v = x.unbind(1)
    return torch.stack([v, u - u**3 - 0.2 * v], 1)


def _lotka_volterra(x: Tensor) -> Tensor:
    u, v = x.unbind(1)
    return torch.stack([u - u * v, u * v - v], 1)


def _selkov(x: Tensor) -> Tensor:
    u, v = x.unbind(1)
    return torch.stack([-u + 0.1 * v + u**2 * v, 0.5 - 0.1 * v - u**2 * v], 1)


def _lorenz(x: Tensor) -> Tensor:
    u, v, w = x.unbind(1)
    return torch.stack([10 * (v - u), u * (28 - w) - v, u * v - 8 / 3 * w], 1)


def _rigid_body(a: float, b: float, c: float) -> Callable[[Tensor], Tensor]:
    def field(x: Tensor) -> Tensor:
        u, v, w = x.unbind(1)
        return torch.stack([(b - c) / a * v * w, (c - a) / b * w * u, (a - b) / c * u * v], 1)

    return field


def _radial(x: Tensor) -> Tensor:
    return x * (1 - x.square().sum(1, keepdim=True))


SYSTEMS = {
    "rotation": System(_linear((0, -1), (1, 0)), 2, 3, 2),
    "node": System(_linear((-1, 0), (0, -2)), 2, 3, 2),
    "Jordan node": System(_linear((-1, 1), (0, -1)), 2, 3, 2),
    "Hopf": System(_hopf, 2, 3, 1),
    "van der Pol": System(_van_der_pol, 2, 3, 0),
    "Duffing": System(_duffing, 2, 3, 0),
    "Lotka-Volterra": System(_lotka_volterra, 2, 3, 0, centre=1.5),
    "Selkov": System(_selkov, 2, 3, 0, centre=1.0),
    "rigid body, two moments equal": System(_rigid_body(1.0, 1.0, 2.0), 3, 2, 2),
    "rigid body, three moments": System(_rigid_body(1.0, 2.0, 3.0), 3, 2, 0),
}

FURTHER = {
    "three linear equations": System(_linear((-1, 1, 0), (0, -2, 1), (1, 0, -1.5)), 3, 2, 3),
    "Lorenz": System(_lorenz, 3, 2, 0),
    "flow onto the sphere": System(_radial, 3, 3, 3),
}


CENTRE = torch.tensor([0.8, -0.5], dtype=torch.float64)


def displaced(system: System) -> System:
    """The same field about another point of the plane."""
    return replace(system, field=lambda x: system.field(x - CENTRE))


def pairs_of(system: System, count: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Points of a box of half-width 2, and their velocities with noise."""
    generator = torch.Generator().manual_seed(seed)
    x = system.centre + 4 * torch.rand(count, system.n, generator=generator, dtype=torch.float64) - 2
    y = system.field(x)
    return x, y + noise * torch.randn(y.shape, generator=generator, dtype=torch.float64)
