"""The entropy band, which keeps distributions that depend on the input from collapsing and from filling their caps."""

from __future__ import annotations

import math
from typing import cast, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._processes import global_mean
from learnsym.distributions import GroupCategorical, LieBox
from learnsym.objectives._objective import Loss
from learnsym.objectives.terms._term import Term
from learnsym.objectives.terms.reward import learned_distributions


@final
class EntropyBand(Term):
    """Holds the mean entropy `H` of each learned distribution between two bounds, with multipliers that adapt.

        Σ (relu(λ + v)² - λ²) / 2    over the violations v = H_min - H and v = H - H_max

    The multipliers `λ` ascend where the loss descends: their gradient is reversed, so that the same optimiser updates
    them. One grows while its bound is violated and goes to 0 while it is not: inside the band nothing pulls at the
    entropy.

    Reference: the band of Miao et al. (2023), arXiv 2206.00051, with multipliers as in Platt, Barr, "Constrained
    differential optimization" (1987), their augmented Lagrangian in place of a schedule.

    Args:
        low, high: `H_min` and `H_max`, in nats; of a box, entropies are those in coordinates, `Σ log 2 h`.
        start: the multipliers at the start.

    Raises:
        ValueError: when the band is empty or `start` is not positive.

    Example:
        >>> band = ls.objectives.terms.EntropyBand(-1.0, 1.0)
        >>> law = ls.distributions.LieBox(ls.groups.SO2(), torch.full((5, 1), 0.1))
        >>> bool(band.penalty(law) > 0)
        True
    """

    kinds = ("reward",)
    over_elements = True

    def __init__(self, low: float, high: float, start: float = 0.1) -> None:
        super().__init__()
        if not low <= high or not start > 0:
            raise ValueError(f"low, high, start: got {low}, {high}, {start}, must be low <= high and start > 0")
        self.low, self.high = low, high
        self.raw = nn.Parameter(torch.full((2,), math.log(math.expm1(start))))

    @property
    def multipliers(self) -> Float[Tensor, "2"]:
        """`λ_low` and `λ_high`."""
        return nn.functional.softplus(self.raw)

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        laws = [cast("LieBox | GroupCategorical", distribution(x)) for distribution in learned_distributions(model)]
        if not laws:
            return Loss(x.new_zeros(()), {"band": x.new_zeros(()), "entropy": x.new_zeros(())})
        penalty = torch.stack([self.penalty(law) for law in laws]).sum()
        entropy = torch.stack([law.entropy().detach().mean() for law in laws]).mean()
        return Loss(penalty, {"band": penalty.detach(), "entropy": entropy})

    def penalty(self, distribution: LieBox | GroupCategorical) -> Float[Tensor, ""]:
        """What is added to the loss for one distribution."""
        entropy = global_mean(distribution.entropy().mean())
        violation = torch.stack([self.low - entropy, entropy - self.high])
        weights = self.multipliers
        ascent = _lagrangian(weights, violation.detach())
        # the second term is 0 in value and reverses the gradient of the multipliers
        return _lagrangian(weights.detach(), violation) - (ascent - ascent.detach())


def _lagrangian(weights: Tensor, violation: Tensor) -> Tensor:
    return ((weights + violation).relu().square() - weights.square()).sum() / 2
