"""A tolerance as the chooser of weights in the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._processes import mean_over_processes
from learnsym._settings import In, NotNegative, Positive
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.weighting import Weighting


@dataclass(frozen=True, kw_only=True)
class Tolerance(Chooser):
    """The smallest weights that keep each penalty below a tolerance, see `objectives.DualAscent`."""

    name: Literal["dual"] = "dual"
    """Chooser of the degree of symmetry."""
    tolerance: NotNegative = 1e-3
    """Largest penalty, in squared units of the outputs."""
    rate: Positive = 1.0
    """Step of the multipliers, per unit of penalty."""
    warmup: Annotated[int, In("[0, 1000000000]")] = 0
    """Steps before the multipliers move."""

    label = "dual"
    note = "Weights in the loss are the multipliers that keep each penalty below the tolerance."

    needs = "a tolerance"

    def weighting(self, names: Sequence[str], weight: float, shared: Sequence[nn.Parameter]) -> Weighting:
        """Multipliers that start at `weight`."""
        return DualAscent(names, self.tolerance, rate=self.rate, start=weight, warmup=self.warmup)


class DualAscent(Weighting):
    """The smallest weights for which each penalty is at most a tolerance.

        min task  subject to  penalty_k <= tolerance:    w_k ← max(0, w_k + rate (penalty_k - tolerance))

    The multiplier of a constraint that costs nothing goes to 0; one that the data resist grows. Multipliers add up what
    they have seen: without a warm-up, the defect of the untrained network too, in steps of `rate` per unit of penalty.

    Args:
        names: of the penalties.
        tolerance: in the unit of the penalties.
        rate: step of the multipliers, per unit of penalty.
        start: weights at the start.
        warmup: steps before the multipliers move.

    Reference: the method is classical; Manolache, Chamon, Niepert (2025), arXiv 2505.13631, ascend in the gains of free
    branches instead, see `EqualityConstraint`.
    """

    unit = "weight"

    def __init__(
        self, names: Sequence[str], tolerance: float, rate: float = 1.0, start: float = 1.0, warmup: int = 0
    ) -> None:
        super().__init__(names, start)
        if not tolerance >= 0 or not rate > 0 or warmup < 0:
            raise ValueError(f"tolerance, rate, warmup: got {tolerance}, {rate}, {warmup}, must be >= 0, > 0 and >= 0")
        self.tolerance = tolerance
        self.rate = rate
        self.warmup = warmup
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        excess = mean_over_processes(penalties.detach().float()) - self.tolerance
        self.seen += 1
        moves = (self.seen > self.warmup).float()
        self.weights.copy_((self.weights + moves * self.rate * excess).clamp(min=0))

    def estimates(self) -> list[float]:
        """The multipliers."""
        return self.weights.tolist()
