"""Simulated tasks of symmetry discovery: bodies in a plane, the moment of inertia, jets of particles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from systems import SYSTEMS
from torch import Tensor, nn

import learnsym as ls
from learnsym.measure import GeneratorPairs


@dataclass(frozen=True)
class Task:
    """Examples, what moves them, and the algebra that is there."""

    data: Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
    pairs: GeneratorPairs
    truth: GeneratorPairs
    classes: int = 0
    """Number of classes of the label; 0 for a regression."""
    examples: int = 20_000
    batch: int = 256
    width: int = 128
    activation: type[nn.Module] = nn.Tanh
    rate: float = 2e-3
    longer: float = 1.0
    """Steps, as a multiple of those that are asked for."""


def _starts(count: int, examples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Positions and velocities of bodies of mass 1 near a circle in a plane."""
    turn = 2 * math.pi * (torch.rand(examples, 1, generator=generator) + torch.arange(count) / count)
    radius = 0.8 + 0.4 * torch.rand(examples, 1, generator=generator)
    q = radius[..., None] * torch.stack([turn.cos(), turn.sin()], -1)
    # centripetal force of the other bodies at distances 2 r sin(πk / count)
    pull = sum(1 / (4 * math.sin(math.pi * k / count)) for k in range(1, count))
    return q, (pull / radius).sqrt()[..., None] * torch.stack([-turn.sin(), turn.cos()], -1)


def _changes(q: Tensor, p: Tensor) -> Tensor:
    """What positions and velocities change by in the time 1 (leapfrog)."""
    start = torch.cat([q, p], -1)
    for _ in range(50):
        p = p + 0.01 * _forces(q)
        q = q + 0.02 * p
        p = p + 0.01 * _forces(q)
    return torch.cat([q, p], -1) - start


def _bodies(count: int) -> Callable[[int, torch.Generator], tuple[Tensor, Tensor]]:
    """Bodies in a plane; all vectors in a row."""

    def data(examples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        q, p = (
            side + 0.1 * torch.randn(side.shape, generator=generator) for side in _starts(count, examples, generator)
        )
        return torch.cat([q, p], -1).flatten(1), _changes(q, p).flatten(1)

    return data


def bodies_in_space(examples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Three bodies near a circle in any plane: positions and velocities `(B, 3, 6)`, and their changes."""
    turns = ls.groups.SO3().haar(examples, generator=generator)
    flat = (nn.functional.pad(side, (0, 1)) for side in _starts(3, examples, generator))
    q, p = (side @ turns.mT + 0.1 * torch.randn(side.shape, generator=generator) for side in flat)
    return torch.cat([q, p], -1), _changes(q, p)


def _forces(q: Tensor) -> Tensor:
    apart = q[:, None] - q[:, :, None]
    return (apart / (apart.square().sum(-1, keepdim=True) + 0.01) ** 1.5).sum(2)


def _inertia(masses: bool) -> Callable[[int, torch.Generator], tuple[Tensor, Tensor]]:
    """Three points, possibly with masses behind their positions; the moment of inertia about the origin."""

    def data(examples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        r = torch.randn(examples, 3, 3, generator=generator)
        mass = torch.rand(examples, 3, generator=generator) + 0.5 if masses else torch.ones(examples, 3)
        square = r.square().sum(-1)[..., None, None] * torch.eye(3)
        moment = (mass[..., None, None] * (square - r[..., None] * r[..., None, :])).sum(1)
        x = r.flatten(1)
        return (torch.cat([x, mass], 1) if masses else x), moment.flatten(1)

    return data


def _jets(examples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Momenta of three particles, boosted and turned alike in both classes; the class decides the mass of all together.

    The two normal laws of that mass overlap, so that the log odds are a smooth function of it. Particles have masses of
    their own: those of massless ones fill no region, and the slope of a network off that surface is any. The unit is a
    quarter of the smaller mass, in which components have a size of about 1.
    """
    direction = torch.randn(examples, 3, 3, generator=generator)
    direction = direction - direction.mean(1, keepdim=True)
    label = torch.rand(examples, generator=generator) < 0.5
    own = torch.rand(examples, 3, generator=generator)
    energy = (direction.square().sum(2) + own.square()).sqrt()
    mass = 1 + 0.4 * label + 0.12 * torch.randn(examples, generator=generator)
    rest = torch.cat([energy[..., None], direction], 2) * (mass.clamp(min=0.2) / energy.sum(1))[:, None, None]
    group = ls.groups.Lorentz()
    boost = 0.3 * torch.randn(examples, 6, generator=generator)
    return 4 * torch.einsum("bij,bpj->bpi", group.exp(boost), rest).flatten(1), label.long()


def _equal(algebra: Tensor, inputs: int, outputs: int) -> GeneratorPairs:
    return GeneratorPairs(input=algebra, output=algebra).repeated(inputs, outputs)


def _of_tensors(a: Tensor, b: Tensor, points: int, scalars: int) -> GeneratorPairs:
    """`A` on points and nothing on scalars behind them; `B F + F Bᵀ` on tensors."""
    eye = torch.eye(3, dtype=a.dtype)
    moves = [torch.block_diag(*[each] * points, torch.zeros(scalars, scalars, dtype=a.dtype)) for each in a]
    both = [torch.kron(each.contiguous(), eye) + torch.kron(eye, each.contiguous()) for each in b]
    return GeneratorPairs(input=torch.stack(moves), output=torch.stack(both))


def _free_tensors(scalars: int) -> GeneratorPairs:
    free = GeneratorPairs.free(3, 3)
    return _of_tensors(free.input, free.output, 3, scalars)


def _true_tensors(scalars: int) -> GeneratorPairs:
    """so(3), and scale: the moment grows with the square of lengths."""
    algebra = torch.cat([ls.groups.SO3().algebra, torch.eye(3, dtype=torch.float64)[None]])
    return _of_tensors(algebra, algebra, 3, scalars)


def _hopf(examples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points of a box and an eighth of the velocities of the field of Hopf there, which are of size 1 then."""
    x = 4 * torch.rand(examples, 2, generator=generator) - 2
    return x, SYSTEMS["Hopf"].field(x) / 8


_SO2, _LORENTZ = ls.groups.SO2().algebra, ls.groups.Lorentz().algebra
TASKS = {
    "two bodies": Task(_bodies(2), GeneratorPairs.free(2, 2).repeated(4, 4), _equal(_SO2, 4, 4)),
    "three bodies": Task(_bodies(3), GeneratorPairs.free(2, 2).repeated(6, 6), _equal(_SO2, 6, 6)),
    "Hopf": Task(_hopf, GeneratorPairs.tied(2), _equal(_SO2, 1, 1)),
    "Hopf, free on both sides": Task(_hopf, GeneratorPairs.free(2, 2), _equal(_SO2, 1, 1)),
    "inertia": Task(_inertia(masses=True), _free_tensors(3), _true_tensors(3)),
    "jets": Task(
        _jets,
        GeneratorPairs.invariance(4).repeated(3),
        GeneratorPairs(input=_LORENTZ, output=torch.zeros(6, 1, 1, dtype=torch.float64)).repeated(3),
        classes=2,
        examples=4_000_000,
        batch=1024,
        width=64,
        activation=nn.GELU,
        rate=5e-3,
        longer=2.4,
    ),
}
INERTIA = Task(_inertia(masses=False), _free_tensors(0), _true_tensors(0))
