"""What rounding alone makes of a simulation: the yardstick of an exact symmetry."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.seeding import generator
from learnsym.symmetry import Symmetry

ULPS = 64
"""Size of the disturbance in units of the last place of the largest number of an example: about what a thousand steps
of rounding add up to."""
MARGIN = 10.0


def rounding_error(
    simulate: Callable[[Tensor], Tensor],
    x: Float[Tensor, "B ..."],
    y: Float[Tensor, "B ..."],
    symmetries: Sequence[Symmetry],
    samples: int,
    seed: int,
) -> Float[Tensor, "B"]:
    """Ten times the mean squared change of each output when its input is disturbed by 64 units in the last place.

    Only numbers that a continuous candidate in space moves are disturbed, not charges, masses or codes of species; all
    numbers when there is no such candidate.
    """
    scale = ULPS * torch.finfo(x.dtype).eps * x.abs().flatten(1).amax(1)
    scale = scale.view(-1, *[1] * (x.ndim - 1)) * _moved(x, symmetries)
    random = generator(seed, 54)
    total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    for _ in range(samples):
        noise = torch.randn(x.shape, dtype=torch.float64, generator=random).to(x)
        with torch.no_grad():
            disturbed = simulate(x + scale * noise)
        total += (disturbed.double() - y).square().flatten(1).mean(1)
        resolution = torch.finfo(disturbed.dtype).eps
    return MARGIN * (total / samples + (resolution * y.abs().flatten(1).amax(1)).square())


def _moved(x: Tensor, symmetries: Sequence[Symmetry]) -> Tensor:
    """1 where a candidate of space changes an entry, 1 everywhere when there is none."""
    moving = [s for s in symmetries if s.group.space == "space" and s.group.dim]
    if not moving:
        return torch.ones_like(x)
    random = torch.ones(1, dtype=torch.float64)
    moves = [s.group.exp(random.expand(len(x), s.group.dim)).to(x) for s in moving]
    return torch.stack([s.on_input(g, x) != x for s, g in zip(moving, moves, strict=True)]).any(0).to(x)
