"""The reward for wide distributions over group elements, which stops a learned augmentation from collapsing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import torch
from torch import Tensor, nn

from learnsym.distributions import Fixed, LearnableDistribution
from learnsym.objectives._objective import Loss
from learnsym.objectives.terms._term import Term, checked_weight
from learnsym.objectives.terms.regularisers import Regulariser, sparse_norm


@final
class Reward(Term):
    """A weighted regulariser of every learned distribution `mu` in the model: `weight * Σ_mu regulariser(mu)`.

    The paper of Augerino takes `squared_norm`, its code `norm`; the default is our own. With `weight = 0` widths
    neither grow nor shrink reliably.

    Reference: Benton, Finzi, Izmailov, Wilson, "Learning invariances in neural networks" (2020), arXiv 2010.11882.

    Args:
        regulariser: `(distribution, x) -> scalar` to minimise; see `objectives.regularisers`.
        weight: its weight, not negative.

    Raises:
        ValueError: when the weight is negative.

    Example:
        >>> model = ls.augment.Augmented(nn.Flatten(), ls.symmetry_by_name("rotation2d"))
        >>> ls.objectives.terms.Reward(weight=0.5)(model, torch.rand(2, 1, 8, 8)).total
        tensor(-0.5655, grad_fn=<MulBackward0>)
    """

    kinds = ("reward",)

    def __init__(self, regulariser: Regulariser = sparse_norm, weight: float = 0.03) -> None:
        super().__init__()
        self.regulariser = regulariser
        self.weight = checked_weight(weight)

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        values = [self.regulariser(distribution, x) for distribution in learned_distributions(model)]
        reward = torch.stack(values).sum() if values else x.new_zeros(())
        return Loss(self.weight * reward, {"regulariser": reward.detach()})


def learned_distributions(module: nn.Module) -> Iterable[LearnableDistribution]:
    """The learned distributions of a model, outermost only: those of a product are parts of it."""
    if isinstance(module, LearnableDistribution):
        if not isinstance(module, Fixed):
            yield module
        return
    for child in module.children():
        yield from learned_distributions(child)
