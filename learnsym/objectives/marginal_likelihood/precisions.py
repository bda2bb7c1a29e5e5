"""Who sets the prior precisions `δ_l`: all rules have the same fixed point, `γ_l = δ_l |w_l|²`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from learnsym.objectives.marginal_likelihood.curvature import Curvature

LEAST, MOST = 1e-6, 1e8
"""Of precisions."""


@runtime_checkable
class Precisions(Protocol):
    """A rule for prior precisions at weights as they are."""

    @property
    def start(self) -> float:
        """The precision of all weights before the first look."""
        ...

    def __call__(
        self, before: Mapping[str, Tensor], squares: Mapping[str, Tensor], curvature: Curvature, examples: int
    ) -> dict[str, Tensor]:
        """The precision of each tensor, from those before, `|w_l|²` and the curvature."""
        ...


@dataclass(frozen=True)
class MacKay:
    """`δ_l = γ_l / |w_l|²`: one step to the fixed point, with `γ_l` of the precisions before.

    Reference: MacKay (1992), "A practical Bayesian framework for backpropagation networks".
    """

    start: float = 1.0

    def __call__(
        self, before: Mapping[str, Tensor], squares: Mapping[str, Tensor], curvature: Curvature, examples: int
    ) -> dict[str, Tensor]:
        """The precisions."""
        gamma = curvature.occam(before, examples).dimensions
        return {name: (gamma[name] / square.clamp(min=LEAST)).clamp(LEAST, MOST) for name, square in squares.items()}


@dataclass(frozen=True)
class ByGradient:
    """Steps of Adam up the log evidence in `log δ_l`, anew at every look.

        d log p(D) / d log δ_l = 1/2 (γ_l - δ_l |w_l|²)

    Reference: the rule of Immer et al. (2022), arXiv 2202.10638, and van der Ouderaa et al. (2023), arXiv 2310.06131,
    who take 20 steps of a rate of 0.1; the library's gradient is that of the log-determinant itself.
    """

    start: float = 1.0
    rate: float = 0.1
    steps: int = 20

    def __call__(
        self, before: Mapping[str, Tensor], squares: Mapping[str, Tensor], curvature: Curvature, examples: int
    ) -> dict[str, Tensor]:
        """The precisions."""
        logs = {name: before[name].detach().double().log().requires_grad_() for name in squares}
        adam = torch.optim.Adam(logs.values(), self.rate)
        with torch.enable_grad():
            for _ in range(self.steps):
                adam.zero_grad()
                deltas = {name: log.exp() for name, log in logs.items()}
                prior = torch.stack([deltas[name] * square for name, square in squares.items()]).sum()
                ((prior + curvature.occam(deltas, examples).log_determinant) / 2).backward()
                adam.step()
        return {name: log.detach().exp().clamp(LEAST, MOST) for name, log in logs.items()}


@dataclass(frozen=True)
class Kept:
    """Precisions stay as they are: the most probable weights under a prior that is set by hand (MAP)."""

    start: float = 1.0

    def __call__(
        self, before: Mapping[str, Tensor], squares: Mapping[str, Tensor], curvature: Curvature, examples: int
    ) -> dict[str, Tensor]:
        """The precisions before."""
        return dict(before)
