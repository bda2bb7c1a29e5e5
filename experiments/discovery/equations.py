"""Point symmetries of differential equations, from derivatives with noise, from grids, and from networks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.measure import (
    EquationSymmetries,
    Jets,
    certify_equation,
    certify_surrogate,
    equation_defects,
    jets_of_grid,
)
from learnsym.measure.certified.polynomials import powers
from learnsym.objectives import Supervised, mse

Row = dict[str, Any]
TOLERANCE, NETWORK_TOLERANCE = 0.02, 0.1
GENERATORS, NOISES = 2, (0.003, 0.01, 0.03)
VARIABLES = ("t", "x", "u")
SECOND = ["t", "x", "u", "u_x", "u_xx"]


@dataclass(frozen=True)
class Equation:
    """Jets of random solutions, the right-hand side, and the generators within the quadratic library."""

    jets: Callable[[int, torch.Generator], Jets]
    f: Callable[[Tensor], Tensor]
    truth: tuple[dict[str, float], ...]
    inputs: tuple[str, ...] = tuple(SECOND)
    leading: tuple[str, ...] = ("u_t",)
    variables: tuple[str, ...] = VARIABLES

    def certified(self, jets: Jets, seed: int = 0) -> EquationSymmetries:
        """By the polynomial that the jets allow."""
        return certify_equation(jets, self.leading, self.inputs, 2, GENERATORS, TOLERANCE, seed=seed)


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator, dtype=torch.float64)


def _waves(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Wave numbers, amplitudes and phases of one solution for each point."""
    a = torch.randn(count, 4, generator=generator, dtype=torch.float64)
    return torch.arange(4).double(), a, 2 * math.pi * torch.rand(count, 4, generator=generator, dtype=torch.float64)


def derivatives(u: Callable[..., Tensor], names: list[str], **places: Tensor) -> Jets:
    """By automatic differentiation of solutions in closed form, one for each point."""
    with torch.enable_grad():
        place = {letter: value.clone().requires_grad_() for letter, value in places.items()}
        known = {"u": u(*place.values())}
        for name in names:
            before, letter = f"u_{name[2:-1]}".rstrip("_"), name[-1]
            known[name] = torch.autograd.grad(known[before].sum(), place[letter], create_graph=True)[0]
    values = {**places, **{name: value.detach() for name, value in known.items()}}
    return Jets(values=values, independent=tuple(places))


def _heat(count: int, generator: torch.Generator) -> Jets:
    k, a, phase = _waves(count, generator)
    t, x = uniform(count, 0, 0.5, generator), uniform(count, -1, 1, generator)

    def u(t: Tensor, x: Tensor) -> Tensor:
        return (a * torch.exp(-(k**2) * t[:, None]) * torch.cos(k * x[:, None] + phase)).sum(1)

    return derivatives(u, ["u_t", "u_x", "u_tx", "u_xx"], t=t, x=x)


def _burgers(count: int, generator: torch.Generator) -> Jets:
    """`u = -2 h_x / h` of solutions `h > 0` of the heat equation (Cole and Hopf)."""
    k, a, phase = _waves(count, generator)
    a = 0.8 * a[:, 1:] / a[:, 1:].abs().sum(1, keepdim=True)
    k, phase = k[1:], phase[:, 1:]
    t, x = uniform(count, 0, 0.5, generator), uniform(count, -1, 1, generator)
    speed = 1.5 * torch.randn(count, generator=generator, dtype=torch.float64)

    def u(t: Tensor, x: Tensor) -> Tensor:
        wave, decay = k * (x - speed * t)[:, None] + phase, a * torch.exp(-(k**2) * t[:, None])
        return speed + 2 * (k * decay * wave.sin()).sum(1) / (1 + (decay * wave.cos()).sum(1))

    return derivatives(u, ["u_t", "u_x", "u_tx", "u_xx"], t=t, x=x)


def _wave(count: int, generator: torch.Generator) -> Jets:
    """Waves to both sides."""
    (k, a, phase), (_, b, other) = (_waves(count, generator) for _ in range(2))
    t, x = uniform(count, 0, 1, generator), uniform(count, -1, 1, generator)

    def u(t: Tensor, x: Tensor) -> Tensor:
        right, left = (x - t)[:, None], (x + t)[:, None]
        return (a * torch.cos(k * right + phase) + b * torch.cos(k * left + other)).sum(1)

    return derivatives(u, ["u_t", "u_x", "u_tt", "u_tx", "u_xx"], t=t, x=x)


RUNS, LENGTH, SPAN, GRID, FINER, STEPS = 40, 4.0, 1.0, 64, 8, 3200
KEPT, MIDDLE = 160, 0.9
"""Points are taken where coefficients are what they are said to be."""


def simulated(f: Callable[[float, Tensor, Tensor, Tensor], Tensor], generator: torch.Generator) -> tuple[Tensor, ...]:
    """Solutions `(R, T, X)` of `u_t = f(t, x, u, (u_x, u_xx, u_xxx))` on a circle, and both axes.

    Fourier derivatives, Runge and Kutta's steps of order four, and a finer grid by Fourier interpolation.
    """
    x = _circle(GRID)
    waves = 2j * math.pi / LENGTH * torch.fft.fftfreq(GRID, 1 / GRID, dtype=torch.float64)
    powers = torch.stack([waves**power for power in (1, 2, 3)])[:, None]
    a = torch.randn(RUNS, 3, 1, generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand(RUNS, 3, 1, generator=generator, dtype=torch.float64)
    k = 2 * math.pi / LENGTH * torch.arange(1, 4, dtype=torch.float64)[:, None]
    u = (a / k * torch.cos(k * x + phase)).sum(1) + torch.randn(RUNS, 1, generator=generator, dtype=torch.float64) / 2

    def rate(now: float, u: Tensor) -> Tensor:
        return f(now, x, u, torch.fft.ifft(powers * torch.fft.fft(u)).real)

    step, kept = SPAN / STEPS, [u]
    for count in range(STEPS):
        now = count * step
        first = rate(now, u)
        second = rate(now + step / 2, u + step / 2 * first)
        third = rate(now + step / 2, u + step / 2 * second)
        u = u + step / 6 * (first + 2 * second + 2 * third + rate(now + step, u + step * third))
        if (count + 1) % (STEPS // KEPT) == 0:
            kept.append(u)
    spectrum = torch.fft.rfft(torch.stack(kept, 1)) * FINER
    return (
        torch.fft.irfft(spectrum, GRID * FINER),
        torch.linspace(0, SPAN, KEPT + 1, dtype=torch.float64),
        _circle(GRID * FINER),
    )


def _circle(size: int) -> Tensor:
    return LENGTH * torch.arange(size, dtype=torch.float64) / size - LENGTH / 2


def _on_grid(f: Callable[..., Tensor], order: int, noise: float = 0.0) -> Callable[[int, torch.Generator], Jets]:
    """Jets by differences; noise is a share of the standard deviation of the solutions."""

    def jets(count: int, generator: torch.Generator) -> Jets:
        u, t, x = simulated(f, generator)
        u = u + noise * u.std() * torch.randn(u.shape, generator=generator, dtype=torch.float64)
        seed = int(torch.randint(10**6, (1,), generator=generator))
        middle = x.abs() < MIDDLE + 0.2
        return jets_of_grid({"u": u[..., middle]}, {"t": t, "x": x[middle]}, order=order, points=count, seed=seed)

    return jets


def _kdv(now: float, x: Tensor, u: Tensor, slopes: Tensor) -> Tensor:
    return -u * slopes[0] - 0.05 * slopes[2]


def _loss_by_time(now: float, x: Tensor, u: Tensor, slopes: Tensor) -> Tensor:
    return 0.2 * slopes[1] - u * slopes[0] - 4 * now * u


def _growth_by_place(now: float, x: Tensor, u: Tensor, slopes: Tensor) -> Tensor:
    return 0.2 * slopes[1] - u * slopes[0] + 3 * _ramp(x) * u + 4 * now


def _ramp(x: Tensor) -> Tensor:
    """`x` in the middle, and smoothly to 0 at the seam of the circle."""
    far = ((2 - x.abs()) / 0.8).clamp(1e-3, 1 - 1e-3)
    rise, fall = torch.exp(-1 / far), torch.exp(-1 / (1 - far))
    return x * rise / (rise + fall)


_SHIFTS = ({"∂t 1": 1.0}, {"∂x 1": 1.0})
EQUATIONS = {
    "heat": Equation(
        _heat,
        lambda z: z[:, 4:5],
        (
            *_SHIFTS,
            {"∂u 1": 1.0},
            {"∂u x": 1.0},
            {"∂u xx": 1.0, "∂u t": 2.0},
            {"∂u u": 1.0},
            {"∂t t": 2.0, "∂x x": 1.0},
            {"∂x t": 2.0, "∂u xu": -1.0},
        ),
    ),
    "Burgers": Equation(
        _burgers,
        lambda z: z[:, 4:5] - z[:, 2:3] * z[:, 3:4],
        (
            *_SHIFTS,
            {"∂x t": 1.0, "∂u 1": 1.0},
            {"∂t t": 2.0, "∂x x": 1.0, "∂u u": -1.0},
            {"∂t tt": 1.0, "∂x tx": 1.0, "∂u x": 1.0, "∂u tu": -1.0},
        ),
    ),
    "wave": Equation(
        _wave,
        lambda z: z[:, 5:6],
        (
            *_SHIFTS,
            {"∂t t": 1.0, "∂x x": 1.0},
            {"∂t x": 1.0, "∂x t": 1.0},
            {"∂t tt": 1.0, "∂t xx": 1.0, "∂x tx": 2.0},
            {"∂x tt": 1.0, "∂x xx": 1.0, "∂t tx": 2.0},
            {"∂u u": 1.0},
            {"∂u 1": 1.0},
            {"∂u t": 1.0},
            {"∂u x": 1.0},
            {"∂u tx": 1.0},
            {"∂u tt": 1.0, "∂u xx": 1.0},
        ),
        ("t", "x", "u", "u_t", "u_x", "u_xx"),
        ("u_tt",),
    ),
    "Korteweg and de Vries": Equation(
        _on_grid(_kdv, 3),
        lambda z: -z[:, 2:3] * z[:, 3:4] - 0.05 * z[:, 5:6],
        (*_SHIFTS, {"∂x t": 1.0, "∂u 1": 1.0}, {"∂t t": 3.0, "∂x x": 1.0, "∂u u": -2.0}),
        ("t", "x", "u", "u_x", "u_xx", "u_xxx"),
    ),
    "loss by time": Equation(
        _on_grid(_loss_by_time, 2),
        lambda z: 0.2 * z[:, 4:5] - z[:, 2:3] * z[:, 3:4] - 4 * z[:, :1] * z[:, 2:3],
        ({"∂x 1": 1.0},),
    ),
    "growth by place": Equation(
        _on_grid(_growth_by_place, 2),
        lambda z: 0.2 * z[:, 4:5] - z[:, 2:3] * z[:, 3:4] + 3 * z[:, 1:2] * z[:, 2:3] + 4 * z[:, :1],
        (),
    ),
}
"""Equations whose algebras within the library are known; the last has none."""


def true_basis(equation: Equation) -> Tensor:
    """Coefficients `(d, V, M)` of the generators that are there."""
    variables, exponents = equation.variables, powers(len(equation.variables), GENERATORS)
    place = {
        "".join(name * power for name, power in zip(variables, row, strict=True)) or "1": index
        for index, row in enumerate(exponents.tolist())
    }
    basis = torch.zeros(len(equation.truth), len(variables), len(exponents), dtype=torch.float64)
    for each, generator in zip(basis, equation.truth, strict=True):
        for name, value in generator.items():
            component, monomial = name[1:].split(" ")
            each[variables.index(component), place[monomial]] = value
    return basis


def summary(found: EquationSymmetries, equation: Equation, jets: Jets) -> Row:
    """What is found, and what of it is true by exact derivatives; *worst* is the largest exact defect of as many
    directions as there are generators, the most symmetric first."""
    count = len(equation.truth)
    first = torch.stack([each.coefficients for each in found.generators])
    exact = _exact(equation, jets, first)
    ends = torch.tensor([each.defect.ends for each in found.generators], dtype=torch.float64)
    certified = torch.tensor([each.verdict == "certified" for each in found.generators])
    estimates = [each.defect.estimate for each in found.generators]
    return {
        "dimension": found.dimension,
        "true dimension": count,
        "defect of the truth": float(_exact(equation, jets, true_basis(equation)).max()) if count else None,
        "worst": float(exact[:count].max()) if count else None,
        "held": bool(((ends[:, 0] <= exact + 1e-9) & (exact <= ends[:, 1] + 1e-9)).all()),
        "false": bool((certified & (exact > found.delta)).any()),
        "span": found.spans[count - 1] if count else None,
        "next": estimates[count],
        "next bound": ends[count, 0].item(),
        "largest gap": 1 + int(torch.tensor(estimates).clamp(min=1e-12).log().diff().argmax()),
        "misfit": found.misfit,
        "gate": found.reason,
        "formulas": found.formulas(),
    }


def _exact(equation: Equation, jets: Jets, coefficients: Tensor) -> Tensor:
    return equation_defects(equation.f, jets, equation.leading, equation.inputs, coefficients, GENERATORS)


NOISY_FIELDS = {"loss by time": _loss_by_time, "growth by place": _growth_by_place}
FIELD_NOISES = (1e-6, 1e-5, 1e-4, 1e-3)
"""Equations whose solutions themselves have noise, and its size."""


def noisy(jets: Jets, leading: tuple[str, ...], noise: float, generator: torch.Generator) -> Jets:
    """Noise on the leading derivatives, a share of their standard deviation."""
    values = dict(jets.values)
    for name in leading:
        error = torch.randn(len(jets), generator=generator, dtype=torch.float64)
        values[name] = values[name] + noise * values[name].std() * error
    return Jets(values=values, independent=jets.independent)


def by_polynomial(
    name: str, equation: Equation, counts: Sequence[int], noises: Sequence[float], seed: int
) -> Iterator[Row]:
    """Certificates of an equation, for points and noise of the leading derivative."""
    generator = torch.Generator().manual_seed(seed)
    jets = equation.jets(max(counts), generator)
    for count in counts:
        for noise in noises:
            some = jets.at(torch.arange(count))
            data, start = noisy(some, equation.leading, noise, generator), time.process_time()
            found = equation.certified(data, seed)
            seconds = time.process_time() - start
            row = {"equation": name, "by": "polynomial", "N": count, "noise": noise, "seed": seed}
            yield {**row, **summary(found, equation, some), "seconds": seconds}


def with_noisy_field(name: str, noise: float, seed: int) -> Row:
    """What becomes of certificates where solutions themselves have noise, which differences blow up."""
    equation, rate = EQUATIONS[name], NOISY_FIELDS[name]
    data, exact = (_on_grid(rate, 2, each)(1000, torch.Generator().manual_seed(seed)) for each in (noise, 0.0))
    row = {"equation": name, "by": "noisy field", "noise": noise, "seed": seed}
    return {**row, **summary(equation.certified(data), equation, exact)}


def network(equation: Equation, seed: int, steps: int) -> nn.Module:
    """A plain network from inputs to the leading derivative, both over their standard deviations."""
    torch.manual_seed(seed)
    jets = equation.jets(20_000, torch.Generator().manual_seed(seed))
    z = torch.stack([jets.values[name] for name in equation.inputs], 1).float()
    y = torch.stack([jets.values[name] for name in equation.leading], 1).float()
    scale = [side.std(0, keepdim=True) for side in (z, y)]
    net = nn.Sequential(nn.Linear(z.shape[1], 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, 1))
    batches = [(z[i : i + 256] / scale[0], y[i : i + 256] / scale[1]) for i in range(0, len(z), 256)]
    optimiser = ls.training.OptimiserConfig(lr=2e-3)
    ls.training.fit(net, Supervised(mse), batches, steps=steps, optimiser=optimiser, seed=seed)
    return _InUnits(net.eval(), *scale)


class _InUnits(nn.Module):
    def __init__(self, net: nn.Module, z: Tensor, y: Tensor) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("z", z)
        self.register_buffer("y", y)

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z / self.z) * self.y


def by_network(name: str, seed: int, steps: int) -> Row:
    """The same of a trained network, on points that it has not seen."""
    start, equation = time.process_time(), EQUATIONS[name]
    net = network(equation, seed, steps)
    jets = equation.jets(4000, torch.Generator().manual_seed(1000 + seed))
    found = certify_surrogate(net, jets, equation.leading, equation.inputs, GENERATORS, NETWORK_TOLERANCE, seed=seed)
    row = summary(found, equation, jets)
    return {"equation": name, "by": "network", "seed": seed, **row, "seconds": time.process_time() - start}


def cases(seeds: int, steps: int) -> Iterator[tuple[str, str, float, int]]:
    """Polynomials, fields with noise, then networks: who, which equation, a noise or steps, and a seed."""
    few = range(min(seeds, 3))
    yield from (("polynomial", name, 0, seed) for name in EQUATIONS for seed in range(seeds))
    yield from (("noisy field", name, noise, seed) for name in NOISY_FIELDS for noise in FIELD_NOISES for seed in few)
    names = ("heat", "Burgers", "loss by time", "growth by place")
    yield from (("network", name, steps, seed) for name in names for seed in few)


def equation(by: str, name: str, setting: float, seed: int) -> list[Row]:
    """What is certified in one case."""
    if by == "polynomial":
        return list(by_polynomial(name, EQUATIONS[name], (300, 1000), NOISES, seed))
    return [with_noisy_field(name, setting, seed) if by == "noisy field" else by_network(name, seed, round(setting))]
