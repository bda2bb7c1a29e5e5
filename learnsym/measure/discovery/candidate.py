"""One generator, judged on examples that had no part in choosing it.

Legend of axes: `J` examples that judge.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.discovery.ratio import upper_ratio
from learnsym.statistics import Estimate


@dataclass(frozen=True, kw_only=True)
class GeneratorCandidate:
    """One generator, how much it changes the output, and how often unrelated gradients look as symmetric.

    All numbers are of the half of the examples that had no part in choosing the matrix.
    """

    matrix: Float[Tensor, "n n"]
    """Of Frobenius norm 1."""
    change: Float[Tensor, "J"]
    """`q_i`: squared change along the example's own motion."""
    unrelated: Float[Tensor, "J"]
    """`h_i`: the same over pairs of different examples, as an example's part in their mean (Hájek's projection)."""
    p_value: float

    @property
    def singular_value(self) -> Estimate:
        """`s = (q̄ / h̄)^1/2`, of which example i says `s + (q_i - s² h_i) / (2 s h̄)` (delta method)."""
        mean = self.unrelated.mean().clamp(min=torch.finfo(torch.float64).tiny)
        square = self.change.mean() / mean
        if square == 0:
            return Estimate.of(torch.zeros_like(self.change))
        return Estimate.of(square.sqrt() + (self.change - square * self.unrelated) / (2 * square.sqrt() * mean))

    def bound(self, level: float = 0.05) -> float:
        """The true `s` lies below this with probability `1 - level`.

            the larger s with  (q̄ - s² h̄)² = t² var(q - s² h) / n,    n = J + 1

        One example more is counted, at which the output changes as much as at the worst seen, and no less than if the
        generator were none (`h = h̄`). Without it the bound of a generator that changes nothing would be 0 however few
        examples were seen, and that of one that fails at few examples would be too small as often as none of these is
        among them. The former is about `(2.7 / n)^1/2`, where the rule of three has `(3 / n)^1/2`. Infinite when
        examples do not even tell `h̄` from 0.

        Reference: Fieller, "Some problems in interval estimation" (1954).

        Raises:
            ValueError: for a level outside (0, 0.5).
        """
        if not 0 < level < 0.5:
            raise ValueError(f"level: got {level}, must lie between 0 and 0.5; 0.05 is usual")
        mean = self.unrelated.mean()
        return upper_ratio(self.change, self.unrelated, level, extra=float(torch.maximum(self.change.max(), mean)))
