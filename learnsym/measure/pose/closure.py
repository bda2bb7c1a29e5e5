"""The two-sample closure test: is `R(+d/2) x` told from `R(-d/2) x` on held-out examples?

If the law of the data is closed under `R(d)`, both have the same law, and no score can have different means on them.
The score is the log ratio of the posterior at the two moves; both sides are interpolated alike.

The network of one fold is fitted to the noise of the examples that the other fold is tested on, so that folds agree by
more than chance (a correlation of two thirds is usual). Each fold has its own test, and their p-values are combined by

    T = mean_k cot(pi p_k),    p = P(Cauchy > T),

which holds its level whatever the correlation, exactly for correlations 0 and 1 (Liu and Xie 2020, arXiv:1808.09011).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy
import torch
from jaxtyping import Float, Int
from torch import Tensor

LEVEL = 1e-3
"""Level of the tests that a law must fail to count as more than flat."""
INFORMATIVE = 1e-3
"""Nats that the posterior of an example must hold, on average: interpolation of a disc leaves a millionth."""


@dataclass(frozen=True, kw_only=True)
class Closure:
    """The outcome of a closure test."""

    p_value: float
    """Probability of a difference this large if the law were closed under the move."""
    accuracy: float
    """Share of held-out examples told apart; `2 accuracy - 1` bounds the total variation distance from below."""
    flags: tuple[str, ...] = ()
    """What a reader of the p-value must know, one sentence each."""

    @property
    def degree(self) -> float:
        """1 for closed, 0 for told apart every time."""
        return min(max(2.0 - 2.0 * self.accuracy, 0.0), 1.0)

    def __str__(self) -> str:
        return "; ".join([f"p = {self.p_value:.2g}, {self.accuracy:.1%} told apart", *self.flags])


def closure_of(
    forward: Float[Tensor, "N"], backward: Float[Tensor, "N"], fold: Int[Tensor, "N"] | None = None
) -> Closure:
    """The test from scores of the two samples, large scores for `R(+d/2) x`; pairs come from the same example.

    Args:
        forward: score of each `R(+d/2) x`.
        backward: score of each `R(-d/2) x`.
        fold: which network scored each example; one and the same, trained on other examples, when None.

    Example:
        >>> scores = torch.randn(200)
        >>> ls.measure.closure_of(scores + 1, scores - 1).p_value < 0.001
        True
    """
    fold = torch.zeros(len(forward), dtype=torch.long) if fold is None else fold
    difference = (forward - backward).double()
    # a tie counts as a guess
    right = (torch.sign(forward) - torch.sign(backward)).double().mean() / 4 + 0.5
    p_values = [_p_value(difference[fold == k]) for k in fold.unique()]
    return Closure(p_value=combined(p_values), accuracy=float(right))


def combined(p_values: list[float]) -> float:
    """One p-value of tests that may depend on each other, by Cauchy quantiles.

    Example:
        >>> combined([0.03, 0.03])
        0.03
    """
    # beyond these limits one fold alone would decide
    statistic = sum(1 / math.tan(math.pi * min(max(p, 1e-300), 0.99)) for p in p_values) / len(p_values)
    return math.atan2(1.0, statistic) / math.pi


def _p_value(difference: Float[Tensor, "N"]) -> float:
    stderr = float(difference.std()) / math.sqrt(len(difference))
    # scores that do not depend on the move at all tell nothing apart
    statistic = float(difference.mean()) / stderr if stderr > 0 else 0.0
    return float(scipy.stats.t.sf(statistic, len(difference) - 1))


def least_p(posterior: Float[Tensor, "N G"], fold: Int[Tensor, "N"], closed: bool) -> float:
    """Smallest p-value of the tests at an eighth, a quarter and half of the window, times their number."""
    middle = posterior.shape[1] // 2
    shifts = [middle // 4, middle // 2, middle]
    return min(1.0, len(shifts) * min(closure_at(posterior, fold, shift, closed).p_value for shift in shifts))


def told_apart(posterior: Float[Tensor, "N G"], fold: Int[Tensor, "N"], closed: bool) -> bool:
    """Whether a closure test rejects, on posteriors that say something: else the law counts as flat."""
    p = posterior.clamp(min=1e-9)
    information = float((p * (p * posterior.shape[1]).log()).sum(1).mean())
    return information > INFORMATIVE and least_p(posterior, fold, closed) < LEVEL


def closure_at(posterior: Float[Tensor, "N G"], fold: Int[Tensor, "N"], shift: int, closed: bool) -> Closure:
    """The test for a move by `shift` cells of the grid of offsets, from held-out posteriors."""
    log, middle = posterior.clamp(min=1e-6).log(), posterior.shape[1] // 2
    left, right = middle - shift, middle + shift
    if closed:
        left, right = left % posterior.shape[1], right % posterior.shape[1]
    return closure_of(log[:, middle] - log[:, left], log[:, right] - log[:, middle], fold)
