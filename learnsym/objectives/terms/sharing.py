"""What holds learned assignments of weights to few and hard blocks."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from learnsym.objectives._objective import Loss
from learnsym.objectives.terms._term import Term, checked_weight
from learnsym.relax.sharing import Assignment, sharing_penalty
from learnsym.relax.sharing.penalties import check_penalty


@final
class Sharing(Term):
    """Holds every learned assignment `A` of `K` items to few and hard blocks.

        weight * Σ_A (|A| + entropy · K · H(A)) / K

    with a norm (`relax.sharing.norms`) and the mean entropy `H` of the rows.

    Reference: Yeh, Hu, Hasegawa-Johnson, Schwing (2022), arXiv 2204.03640, with weight 0.05 and entropy 0.5 for sums of
    numbers.

    Args:
        weight: not negative.
        entropy: of the rows beside the norm, not negative.
        norm: `columns` or `nuclear`.

    Raises:
        ValueError: when a number or a name is out of range.

    Example:
        >>> term = ls.objectives.terms.Sharing(weight=1.0, entropy=0.0)
        >>> hard = ls.relax.sharing.Assignment(4)
        >>> with torch.no_grad(): _ = hard.logits.fill_(-50.0)[:, 0].fill_(50.0)
        >>> float(term(hard, torch.rand(1)).total.detach())  # one block of four: √4 / 4
        0.5
    """

    kinds = ("sharing",)

    def __init__(self, weight: float = 0.05, entropy: float = 0.5, norm: str = "columns") -> None:
        super().__init__()
        check_penalty(norm, entropy)
        self.weight, self.entropy, self.norm = checked_weight(weight), entropy, norm

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        assignments = [module for module in model.modules() if isinstance(module, Assignment)]
        penalties = [self._penalty(each.matrix()) for each in assignments]
        total = torch.stack(penalties).sum() if penalties else x.new_zeros(())
        return Loss(self.weight * total, {"sharing": total.detach()})

    def _penalty(self, matrix: Tensor) -> Tensor:
        items = len(matrix)
        return sharing_penalty(matrix, self.norm, self.entropy * items) / items
