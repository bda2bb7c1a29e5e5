"""The likelihood of targets under predicted means and variances.

Legend of axes: `B` tasks, `T` targets, `C` values, `K = 2 C`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class GaussianLikelihood:
    """The negative log-likelihood of targets under independent Gaussians, in nats a target, as a mean over tasks.

        ℓ_n = mean_{t, c present} ½ (log 2π + s_ntc + (y_ntc - μ_ntc)² exp(-s_ntc))

    Outputs `(B, T, 2 C)` are means `μ`, then logarithms of variances `s`; targets `(B, T, 2 C)` are values `y`, then 1
    where there is a value and 0 where there is none, see `tasks.padded_targets`. It may be negative.

    Example:
        >>> loss = ls.objectives.GaussianLikelihood()
        >>> loss(torch.zeros(1, 2, 2), torch.tensor([[[1.0, 1.0], [9.0, 0.0]]]))  # ½ log 2π + ½
        tensor(1.4189)
    """

    def __call__(self, outputs: Float[Tensor, "B *outputs"], targets: Float[Tensor, "B *targets"]) -> Float[Tensor, ""]:
        return self.of_each(outputs, targets).mean()

    def of_each(self, outputs: Float[Tensor, "B *outputs"], targets: Float[Tensor, "B *targets"]) -> Float[Tensor, "B"]:
        """`ℓ` of each task; 0 for one without targets.

        Raises:
            ValueError: when outputs and targets are no pairs of the same targets.
        """
        if outputs.shape != targets.shape or outputs.ndim != 3 or outputs.shape[-1] % 2:
            raise ValueError(
                f"outputs: got shape {tuple(outputs.shape)} for targets {tuple(targets.shape)}, both must be "
                "(B, T, 2 C): means and logarithms of variances, and values and whether they are there"
            )
        mean, log_variance = outputs.chunk(2, -1)
        y, present = targets.chunk(2, -1)
        nats = 0.5 * (math.log(2 * math.pi) + log_variance + (y - mean).square() * (-log_variance).exp())
        return (nats * present).sum((1, 2)) / present.sum((1, 2)).clamp(min=1)
