"""A learned law of the relative pose of two views."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.distributions import LearnableCategorical
from learnsym.distributions._elements import probability_degrees
from learnsym.groups import Group
from learnsym.objectives.self_supervision.similarity import log_mean_exp

METHOD = "self-supervision"


class LearnedPoses(nn.Module):
    """Similarity with a learned law `λ` of the relative pose of two views.

        s_λ(z, w) = τ log Σ_g λ(g) exp(<z, ρ(g) w> / τ)

    `λ` at the identity alone is ordinary contrast, the uniform law is contrast modulo the group (`s_lse`); the loss
    chooses between them. Its degree says how far `λ` is from uniform: the entropy over that of the uniform law,

        H(λ) / log |G|,

    0 at one element and 1 for uniform. It is about views: which relative poses the augmentation, and the pictures,
    make likely.

    Args:
        group: finite, with at least two elements.
        temperature: `τ`, above 0.
        init: probability at the start of all elements but the identity together; uniform when None.

    Raises:
        ValueError: for a group of one element, or a temperature or `init` out of range.

    Example:
        >>> poses = ls.objectives.LearnedPoses(ls.groups.Cyclic(4))
        >>> print(ls.degrees(poses, root="loss")[0])
        loss: C_4 relative pose 1 (distribution, self-supervision)...
    """

    answers_for = ("law",)

    def __init__(self, group: Group, temperature: float = 0.1, init: float | None = None) -> None:
        super().__init__()
        count = len(group.components)
        if count < 2 or group.order != count:
            raise ValueError(f"group: got {group}, must be finite with at least two elements, such as C_4")
        if not temperature > 0:
            raise ValueError(f"temperature: got {temperature}, must be above 0; 0.1 is usual")
        self.group, self.temperature = group, temperature
        self.law = LearnableCategorical(group, 1 - 1 / count if init is None else init)

    def forward(self, scores: Float[Tensor, "*B K"]) -> Float[Tensor, "*B"]:
        """`s_λ`, from the scores of all elements."""
        return log_mean_exp(scores, self.temperature, self.law.logits.log_softmax(0))

    def degrees(self, site: str) -> list[Degree]:
        """The entropy of the law as a share, and the probability of each element but the identity."""
        law = self.law()
        share = float(law.entropy().detach()) / math.log(len(self.group.components))
        spread = Degree(
            site=site,
            group=self.group.name,
            generator="relative pose",
            unit="1",
            notion="distribution",
            estimate=share,
            method=METHOD,
            status="no interval",
            reason=ONE_TRAINING,
        )
        return [spread, *probability_degrees(self.group, law.probabilities, site, METHOD, "distribution")]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The logits of the law."""
        return [self.law.logits]
