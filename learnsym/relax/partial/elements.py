"""A learned set of elements of a finite group.

Legend of axes: `d` values of one field, `N` elements.
"""

from __future__ import annotations

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.distributions._elements import names
from learnsym.equivariant import FieldType
from learnsym.relax.partial.range import PartialRange, partial_degree, regular_order


@final
class LearnedElements(PartialRange):
    """A learned set of elements of a finite group: each is kept or not, with a learned probability.

        p(h) = |G| m_h / Σ m,    m_h ~ Bernoulli(sigmoid(logit_h)),    m_e = 1

    In training the set is drawn, once for the batch, with straight-through gradients of the relaxed (Gumbel) Bernoulli;
    in evaluation it holds the elements with a probability of at least one half. The identity always stays.

    Reference: Romero, Lohit, "Learning partial equivariances from data" (2022), arXiv 2110.10211; Maddison, Mnih, Teh,
    "The concrete distribution" (2017), arXiv 1611.00712.

    Args:
        field_type: `FieldType.regular(group, count)` of C_N or D_N.
        init: probability of each element but the identity at the start.
        temperature: of the relaxed Bernoulli, whose gradient is used.

    Raises:
        ValueError: for other fields, or an `init` that is not in (0, 1).

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(2), 4)
        >>> print(ls.relax.LearnedElements(fields, init=0.9).degrees("layer:1")[0])
        layer:1: C_2 rotation by 180 0.9 probability (task, partial group convolution)...
    """

    def __init__(self, field_type: FieldType, init: float = 0.95, temperature: float = 1.0) -> None:
        super().__init__()
        regular_order(field_type)
        if not 0 < init < 1 or not temperature > 0:
            raise ValueError(f"init, temperature: got {init}, {temperature}, must be in (0, 1) and above 0; 0.95 and 1")
        self.field_type, self.temperature = field_type, temperature
        order = len(field_type.group.components)
        self.logits = nn.Parameter(torch.full((order - 1,), math.log(init / (1 - init))))

    def kept(self) -> Float[Tensor, "N"]:
        """1 for each element that is kept, else 0; the gradient is that of a sigmoid."""
        return self._kept(self.logits)

    def drawn(self) -> Float[Tensor, "N"]:
        """A random set."""
        u = torch.rand_like(self.logits).clamp(1e-6, 1 - 1e-6)
        return self._kept(self.logits + u.logit())

    def _kept(self, logits: Tensor) -> Tensor:
        soft = (logits / self.temperature).sigmoid()
        hard = (logits >= 0).to(soft)
        return torch.cat([soft.new_ones(1), hard + (soft - soft.detach())])

    def window(self) -> Float[Tensor, "d d"]:
        """A diagonal matrix, of the elements that are kept in evaluation."""
        return _density(self.kept())

    def drawn_window(self) -> Float[Tensor, "d d"]:
        """A diagonal matrix, of a random set."""
        return _density(self.drawn())

    def extent(self) -> Float[Tensor, "P"]:
        """The probability of each element but the identity."""
        return self.logits.sigmoid()

    def degrees(self, site: str) -> list[Degree]:
        """The probability of each element but the identity."""
        probabilities = zip(names(self.field_type.group)[1:], self.extent().tolist(), strict=True)
        return [partial_degree(self.field_type, site, name, "probability", p) for name, p in probabilities]


def _density(kept: Float[Tensor, "N"]) -> Float[Tensor, "N N"]:
    return torch.diag(kept * len(kept) / kept.sum())
