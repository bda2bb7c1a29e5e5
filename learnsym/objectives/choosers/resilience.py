"""Constraints that give way where the data pay for it, as the chooser of gains, and the ridge that they come to.

Legend of axes: `L` layers with a gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from learnsym._settings import NotNegative, Positive
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.gains import GainsObjective
from learnsym.relax import GainedLayer


@dataclass(frozen=True, kw_only=True)
class Resilience(Chooser):
    """Bounds on gains that give way as far as the loss pays for it, see `objectives.ResilientConstraint`."""

    name: Literal["resilience"] = "resilience"
    """Chooser of the degree of symmetry."""
    cost: Positive = 1.0
    """Price of slack, in units of the loss: at rest the weight of half the square of each gain."""
    rate: Positive = 0.01
    """Step of slacks and multipliers."""

    label = "resilience"
    note = "Bounds on the free branch of each layer give way as far as the training loss pays for it."

    needs = "a cost of slack"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The Lagrangian of `|γ| <= u`."""
        return ResilientConstraint(objective, cost=self.cost, rate=self.rate)


@dataclass(frozen=True, kw_only=True)
class RidgeOnGains(Chooser):
    """A fixed weight on the squares of gains, see `objectives.GainRidge`: where `resilience` comes to rest."""

    name: Literal["ridge"] = "ridge"
    """Chooser of the degree of symmetry."""
    cost: NotNegative = 1.0
    """Weight of half the square of each gain."""

    label = "ridge"
    note = "A weight on its square holds the free branch of each layer."

    needs = "a weight, by hand"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The loss with the squares."""
        return GainRidge(objective, cost=self.cost)


class ResilientConstraint(GainsObjective):
    """An objective with a bound on the gain of each layer, whose slack is bought at a quadratic cost.

        min J(θ, γ) + cost/2 Σ_l u_l²  subject to  |γ_l| <= u_l:

        J + Σ_l λ_l |γ_l|,    u_l ← max(0, u_l - rate (cost u_l - λ_l)),    λ_l ← max(0, λ_l + rate (|γ_l| - u_l))

    At rest `u = λ / cost`: `λ_l` is the price of symmetry in layer `l`, and eliminating `u` and `λ` leaves the minimum
    of `J + cost/2 Σ γ²`, the ridge: of `J = a/2 (γ - g)²` it is `a g / (a + cost)`. So the answer depends on the scale
    of the loss and on `cost` like that of any weight set by hand; the dual part shapes the way there, not its end.

    Reference: Manolache, Chamon, Niepert (2025), arXiv 2505.13631 (ACE), algorithm 2; Hounie, Ribeiro, Chamon,
    "Resilient constrained learning" (2023), arXiv 2306.02426, for slack with a cost. That it rests at a ridge is our
    own reading.

    Args:
        objective: loss on the targets with the terms of all learners.
        cost: of slack, positive.
        rate: of slacks and multipliers, positive.

    Raises:
        ValueError: for a number that is not positive; in training, when the model has no gain.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ScaledPathway(ls.equivariant.EquivariantLinear(fields, fields))
        >>> objective = ls.objectives.ResilientConstraint(ls.objectives.Supervised(ls.objectives.mse))
        >>> sorted(objective(net, (torch.rand(5, 4), torch.rand(5, 4))).parts)
        ['constraint', 'gain', 'task']
    """

    def __init__(self, objective: Objective, *, cost: float = 1.0, rate: float = 0.01) -> None:
        super().__init__(objective)
        if not cost > 0 or not rate > 0:
            raise ValueError(f"cost, rate: got {cost}, {rate}, must be positive; 1 and 0.01 are usual")
        self.cost, self.rate = cost, rate

    def held(self, model: nn.Module, batch: Any, layers: dict[str, GainedLayer]) -> Loss:  # noqa: ANN401
        """The Lagrangian, without what does not depend on parameters."""
        loss = self.objective(model, batch)
        sizes = self.gains(layers).abs()
        prices = self.kept.setdefault("price", torch.zeros_like(sizes.detach())).to(sizes)
        constraint = (prices * sizes).sum()
        self._ascend(sizes.detach(), prices)
        return Loss(loss.total + constraint, {**loss.parts, "constraint": constraint.detach()})

    @torch.no_grad()
    def _ascend(self, sizes: Tensor, prices: Tensor) -> None:
        slack = self.kept.get("slack", torch.zeros_like(sizes)).to(sizes)
        # u <- max(0, u - rate (cost u - λ))
        self.kept["slack"] = (slack - self.rate * (self.cost * slack - prices)).clamp(min=0)
        # λ <- max(0, λ + rate (|γ| - u))
        self.kept["price"] = (prices + self.rate * (sizes - slack)).clamp(min=0)

    def prices(self, model: nn.Module) -> dict[str, float]:
        """The price `λ` of symmetry in each layer: by how much the loss falls, to first order, per unit of slack."""
        return self.by_layer("price", model)

    def slacks(self, model: nn.Module) -> dict[str, float]:
        """The bound `u` of each layer."""
        return self.by_layer("slack", model)


class GainRidge(GainsObjective):
    """An objective with a weight on the squares of gains: `J + cost/2 Σ_l γ_l²`.

    Args:
        objective: loss on the targets with the terms of all learners.
        cost: not negative.

    Raises:
        ValueError: for a negative cost; in training, when the model has no gain.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ScaledPathway(ls.equivariant.EquivariantLinear(fields, fields), start=2.0)
        >>> objective = ls.objectives.GainRidge(ls.objectives.Supervised(ls.objectives.mse), cost=0.5)
        >>> float(objective(net, (torch.rand(5, 4), torch.rand(5, 4))).parts["ridge"])
        1.0
    """

    def __init__(self, objective: Objective, *, cost: float = 1.0) -> None:
        super().__init__(objective)
        if not cost >= 0:
            raise ValueError(f"cost: got {cost}, must be >= 0; 0 leaves gains to the training loss")
        self.cost = cost

    def held(self, model: nn.Module, batch: Any, layers: dict[str, GainedLayer]) -> Loss:  # noqa: ANN401
        """The loss with the squares."""
        loss = self.objective(model, batch)
        ridge = 0.5 * self.cost * self.gains(layers).square().sum()
        return Loss(loss.total + ridge, {**loss.parts, "ridge": ridge.detach()})
