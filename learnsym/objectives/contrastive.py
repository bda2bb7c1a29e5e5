"""The contrastive loss of world models, on predicted and encoded latent states.

Legend of axes: `B` examples, `K` objects, `O` outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

SIGMA, MARGIN = 0.5, 1.0


@dataclass(frozen=True)
class Contrastive:
    """Predicted latents lie near those of what happened, and far from those of what did not.

        L_b = E(p_b, z'_b) + α/M Σ_{m=1..M} max(0, margin - E(p_b, z'_{b-m})),    E(u, v) = |u - v|² / (2 σ² K)

    Outputs are `p = T(z, a)` and `z'` side by side. What happened to other examples of the batch are the negatives: to
    the `M` before it, which are random ones in a shuffled batch, and never the example itself. Targets are the true
    next states, `K` objects with some numbers each; where they are equal, there is no negative. Random negatives differ
    in most objects, so that latents may do without some of them: many negatives and a large `α` weigh rare near ones.

    Args:
        sigma: `σ`.
        margin: energy from which on a negative is far enough.
        negatives: `M` for each example; fewer in a batch that has no more others.
        weight: `α`.

    Raises:
        ValueError: for numbers that are not positive.

    Reference: Kipf, van der Pol, Welling (2020), arXiv 1911.12247; of the prediction, as here, Park et al. (2022),
    arXiv 2204.11371.

    Example:
        >>> loss = ls.objectives.Contrastive()
        >>> outputs = torch.tensor([[0.0, 0.0], [1.0, 1.0]])  # right, and 1 apart
        >>> loss(outputs, torch.tensor([[[0.0]], [[1.0]]]))
        tensor(0.)
    """

    sigma: float = SIGMA
    margin: float = MARGIN
    negatives: int = 1
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.negatives < 1 or not self.weight > 0:
            raise ValueError(
                f"negatives, weight: got {self.negatives}, {self.weight}, must be at least 1 and positive; 1 and 1 are "
                "usual"
            )
        if not (self.sigma > 0 and self.margin > 0):
            raise ValueError(f"sigma, margin: got {self.sigma}, {self.margin}, must be positive; 0.5 and 1 are usual")

    def __call__(self, outputs: Float[Tensor, "B O"], targets: Shaped[Tensor, "B K *state"]) -> Float[Tensor, ""]:
        return self.of_each(outputs, targets).mean()

    def of_each(self, outputs: Float[Tensor, "B O"], targets: Shaped[Tensor, "B K *state"]) -> Float[Tensor, "B"]:
        """The loss of each example.

        Raises:
            ValueError: for a batch of one example, which has no negatives, or outputs that are no two latent states.
        """
        if len(outputs) < 2:
            raise ValueError(
                "outputs: got a batch of one example, which has no other as a negative; take batches of at least 2"
            )
        predicted, encoded = latents(outputs)
        unit = 2 * self.sigma**2 * targets.shape[1]
        # E(p_b, z'_b)
        energy = (predicted - encoded).square().sum(1) / unit
        # max(0, margin - E(p_b, z'_{b-m})), where that is another state
        others = _before(len(outputs), self.negatives, outputs.device)
        hinges = (self.margin - (predicted[:, None] - encoded[others]).square().sum(2) / unit).clamp(min=0)
        differ = (targets[:, None] != targets[others]).flatten(2).any(2)
        return energy + self.weight * (hinges * differ).mean(1)


def _before(count: int, most: int, device: torch.device) -> Int[Tensor, "B M"]:
    """The examples that come before each in a batch, up to `most` of them."""
    rows = torch.arange(count, device=device)
    return (rows[:, None] - rows[1 : 1 + most]) % count


def latents(outputs: Float[Tensor, "B O"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
    """The predicted and the encoded half of outputs.

    Raises:
        ValueError: for outputs that cannot be halved.
    """
    if outputs.dim() != 2 or outputs.shape[1] % 2:
        raise ValueError(
            f"outputs: got shape {tuple(outputs.shape)}, must be (B, 2 Z): the predicted and the encoded latent state"
        )
    predicted, encoded = outputs.chunk(2, 1)
    return predicted, encoded
