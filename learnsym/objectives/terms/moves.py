"""What keeps the learned matrices of weight sharing in scale, and may make them hard."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from learnsym.objectives._objective import Loss
from learnsym.objectives.terms._term import Term, checked_weight
from learnsym.relax.sharing import LearnedMoves


@final
class Moves(Term):
    """Holds the matrices `sinkhorn(Θ)` of every layer that learns how kernels move.

        weight * Σ_layers norm(Θ) + entropy * Σ_layers H(R)

    with the mean square of the logarithms of sums of rows and columns, and the mean entropy of rows.

    Reference: van der Linden et al. (2024), arXiv 2412.04594, with weight 0.1 and, in the released configurations,
    entropy 0.

    Args:
        weight, entropy: not negative.

    Raises:
        ValueError: when one is negative.

    Example:
        >>> moves = ls.relax.sharing.LearnedMoves(2, 4)
        >>> with torch.no_grad(): _ = moves.theta.fill_(0.0)
        >>> float(ls.objectives.terms.Moves(weight=1.0)(moves, torch.rand(1)).total.detach())  # (log 4)²
        1.9218...
    """

    kinds = ("moves",)

    def __init__(self, weight: float = 0.1, entropy: float = 0.0) -> None:
        super().__init__()
        self.weight, self.entropy = checked_weight(weight), checked_weight(entropy, "entropy")

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        found = [module for module in model.modules() if isinstance(module, LearnedMoves)]
        if not found:
            return Loss(x.new_zeros(()), {"norm": x.new_zeros(()), "entropy": x.new_zeros(())})
        norm = torch.stack([moves.norm() for moves in found]).sum()
        entropy = torch.stack([moves.entropy() for moves in found]).sum()
        parts = {"norm": norm.detach(), "entropy": entropy.detach()}
        return Loss(self.weight * norm + self.entropy * entropy, parts)
