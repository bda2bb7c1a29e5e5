"""The constraint that no layer leaves its symmetry, as the chooser of gains: `γ = 0` at the end.

Legend of axes: `L` layers with a gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from learnsym._settings import Count, NotNegative, Positive
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.gains import GainsObjective
from learnsym.relax import GainedLayer


@dataclass(frozen=True, kw_only=True)
class Equality(Chooser):
    """The constraint that every gain ends at 0, see `objectives.EqualityConstraint`: free to train, then exact."""

    name: Literal["equality"] = "equality"
    """Chooser of the degree of symmetry."""
    rate: Positive = 0.01
    """Step of the multipliers, per unit of gain."""
    damping: NotNegative = 1.0
    """Weight of half the square of each gain, which brings gains to rest where the loss does not depend on them."""
    tolerance: Positive = 0.01
    """Root mean square of a gain over the last steps up to which it counts as at rest."""
    memory: Count = 100
    """Steps over which that mean runs."""

    label = "equality"
    note = "Multipliers bring the free branch of each layer to 0; cut off, it leaves an exactly equivariant network."

    needs = "nothing: gains end at 0"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The Lagrangian of `γ = 0`."""
        return EqualityConstraint(
            objective, rate=self.rate, damping=self.damping, tolerance=self.tolerance, memory=self.memory
        )


class EqualityConstraint(GainsObjective):
    """An objective whose minimum is sought among exact networks, on a way through networks that are free.

        min J(θ, γ)  subject to  γ_l = 0:    J + Σ_l λ_l γ_l + damping/2 γ_l²,    λ_l ← λ_l + rate γ_l

    Parameters follow the gradient of the Lagrangian, by whatever optimiser; multipliers ascend with the gain before the
    step. Begin with gains of 1, and end with `relax.truncate` or `equivariant.exact_twin`, which cost nothing in
    evaluation. The damping (an augmented Lagrangian) leaves the solution where it is. Without it a loss that is flat in
    γ lets γ and λ turn about each other with frequency `sqrt(step · rate)` and growing radius, so that a gain that
    oscillates says nothing about the data; under gradient descent it comes to rest when `damping > rate`, over about
    `damping / rate` steps. With Adam, whose steps have a largest size, multipliers that grow while the gain is still on
    its way overshoot: rather a small rate. Gains whose root mean square over the last steps is above `tolerance` have
    degrees with the status `not converged`.

    Reference: Manolache, Chamon, Niepert, "Learning (approximately) equivariant networks via constrained optimization"
    (2025), arXiv 2505.13631 (ACE), algorithm 1; damping and status are our own.

    Args:
        objective: loss on the targets with the terms of all learners.
        rate, damping, tolerance, memory: as above.

    Raises:
        ValueError: for a number out of range; in training, when the model has no gain.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ScaledPathway(ls.equivariant.EquivariantLinear(fields, fields))
        >>> objective = ls.objectives.EqualityConstraint(ls.objectives.Supervised(ls.objectives.mse))
        >>> sorted(objective(net, (torch.rand(5, 4), torch.rand(5, 4))).parts)
        ['constraint', 'gain', 'task']
        >>> objective.prices(net)
        {'': 0.009999999776482582}
    """

    def __init__(
        self,
        objective: Objective,
        *,
        rate: float = 0.01,
        damping: float = 1.0,
        tolerance: float = 0.01,
        memory: int = 100,
    ) -> None:
        super().__init__(objective)
        if not rate > 0 or not damping >= 0 or not tolerance > 0 or memory < 1:
            raise ValueError(
                f"rate, damping, tolerance, memory: got {rate}, {damping}, {tolerance}, {memory}, must be > 0, >= 0, "
                "> 0 and >= 1; take the defaults"
            )
        self.rate, self.damping, self.tolerance, self.memory = rate, damping, tolerance, memory

    def held(self, model: nn.Module, batch: Any, layers: dict[str, GainedLayer]) -> Loss:  # noqa: ANN401
        """The Lagrangian."""
        loss = self.objective(model, batch)
        gains = self.gains(layers)
        prices = self.kept.setdefault("price", torch.zeros_like(gains.detach())).to(gains)
        constraint = (prices * gains + 0.5 * self.damping * gains.square()).sum()
        self._ascend(gains.detach(), prices, layers)
        return Loss(loss.total + constraint, {**loss.parts, "constraint": constraint.detach()})

    @torch.no_grad()
    def _ascend(self, gains: Tensor, prices: Tensor, layers: dict[str, GainedLayer]) -> None:
        # λ <- λ + rate γ
        self.kept["price"] = prices + self.rate * gains
        squares = self.kept.get("square", gains.square()).to(gains)
        self.kept["square"] = squares.lerp(gains.square(), 1 / self.memory)
        settled = self.kept["square"].sqrt() <= self.tolerance
        for layer, at_rest in zip(layers.values(), settled, strict=True):
            layer.gain.settled.copy_(at_rest)

    def prices(self, model: nn.Module) -> dict[str, float]:
        """The multiplier of each layer: by how much the loss falls, to first order, per unit of gain."""
        return self.by_layer("price", model)
