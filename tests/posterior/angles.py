"""A problem whose posterior is known: angles drawn from U(-t, t), seen with normal noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym.posterior.axes import Axis, RangeAxis
from learnsym.posterior.prior import SpikedPrior

NOISE = 0.1
"""Standard deviation of what is seen, as a fraction of the cap."""


@dataclass(frozen=True)
class Seen:
    """`p(y | s) = 1/(2s) ∫_{-s}^{s} N(y; a, σ²) da` by degree, in closed form; the sum over degrees of each example."""

    y: Tensor
    noise: float = NOISE

    @property
    def axes(self) -> Sequence[Axis]:
        return tuple(RangeAxis.of(f"turn {i}", "degree", 180.0, 21) for i in range(self.y.shape[1]))

    def __call__(self, s: Tensor) -> Tensor:
        normal = torch.distributions.Normal(torch.zeros(()).double(), self.noise)
        t = s.clamp(min=1e-3)[..., None, :]
        mass = normal.cdf(self.y + t) - normal.cdf(self.y - t)
        return (mass / (2 * t)).clamp(min=1e-300).log().sum(-1)


def seen(truth: Sequence[float], count: int = 60, seed: int = 0, noise: float = NOISE) -> Seen:
    """Examples from half-widths as fractions of the cap."""
    random = torch.Generator().manual_seed(seed)
    shape = (count, len(truth))
    a = torch.tensor(truth, dtype=torch.float64) * (2 * torch.rand(shape, generator=random).double() - 1)
    return Seen(a + noise * torch.randn(shape, generator=random).double(), noise)


def exact_posterior(likelihood: Seen, prior: SpikedPrior, points: int = 1500) -> tuple[Tensor, Tensor]:
    """Probabilities of none and full and means of independent degrees, one at a time by an independent sum."""
    rows = []
    for i in range(likelihood.y.shape[1]):
        one = Seen(likelihood.y[:, i : i + 1], likelihood.noise)
        s = torch.linspace(0, 1, points + 2).double()[:, None]
        density = (prior.log_prob(s.clamp(1e-9, 1 - 1e-9)) + one(s).sum(-1, keepdim=True))[1:-1]
        ends = prior.log_prob(s[[0, -1]]) + one(s[[0, -1]]).sum(-1, keepdim=True)
        top = max(density.max(), ends.max())
        slab, spikes = (density - top).exp()[:, 0] / points, (ends - top).exp()[:, 0]
        total = slab.sum() + spikes.sum()
        mean = ((slab * s[1:-1, 0]).sum() + spikes[1]) / total
        rows.append(torch.stack([spikes[0] / total, spikes[1] / total, mean]))
    return torch.stack(rows)[:, :2], torch.stack(rows)[:, 2]
