"""Comparisons of two measurements on the same examples, under the same group elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.statistics.estimate import Estimate

Alternative = Literal["two-sided", "greater", "less"]
SIDES = {"two-sided": Tensor.abs, "greater": Tensor.positive, "less": Tensor.neg}


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """The difference of two measurements, example by example, and how likely chance alone makes it as large."""

    difference: Estimate
    p_value: float

    def __str__(self) -> str:
        return f"{self.difference}, p = {self.p_value:.2g}"


def paired_difference(
    a: Estimate, b: Estimate, alternative: Alternative = "two-sided", permutations: int = 1999, seed: int = 0
) -> PairedDifference:
    """The difference `a - b` of one measure of two models, paired over the examples.

        d_i = a_i - b_i,    p = P(mean_i s_i d_i is as far out as mean_i d_i),    s_i = ±1 at random

    What makes an example hard for both models cancels when both were measured with the same examples, seed and
    distribution. The p-value of this sign-flip test is valid for any number of examples when the `d_i` are symmetric
    about 0 under "no difference", and for many when only their mean is 0. For an interval give `difference` to
    `student_interval` or `bootstrap_interval`.

    Reference: Fisher, "The Design of Experiments" (1935), section 21.

    Args:
        a: values of the one model.
        b: values of the other model.
        alternative: `two-sided`, `greater` (a above b) or `less`.
        permutations: number `P` of random sign patterns; the smallest p-value is `1 / (P + 1)`.
        seed: of the patterns.

    Returns:
        The mean difference with its standard error, and the p-value of "no difference".

    Raises:
        ValueError: when the two do not have the same number of examples, or for an unknown alternative.

    Example:
        >>> hard = torch.rand(50)
        >>> a, b = ls.statistics.Estimate.of(hard + 0.1), ls.statistics.Estimate.of(hard + 0.01 * torch.rand(50))
        >>> ls.statistics.paired_difference(a, b).p_value < 0.01
        True
    """
    if alternative not in SIDES:
        raise ValueError(f"alternative: got {alternative!r}, must be one of {', '.join(SIDES)}")
    of_a, of_b = _paired(a, b)
    difference = of_a - of_b
    return PairedDifference(
        difference=Estimate.of(difference), p_value=_sign_flip_p(difference, alternative, permutations, seed)
    )


def ratio_of_means(numerator: Estimate, denominator: Estimate) -> Estimate:
    """The ratio of two means over the same examples, with the standard error of the delta method.

        R = ā / b̄,    per example  R + (a_i - R b_i) / b̄

    Args:
        numerator: values `a_i`.
        denominator: values `b_i` of the same examples.

    Raises:
        ValueError: when the two do not have the same examples, or the mean of the denominator is 0.

    Example:
        >>> a, b = (ls.statistics.Estimate.of(torch.tensor(values)) for values in ([1.0, 2.0], [2.0, 4.0]))
        >>> print(ls.statistics.ratio_of_means(a, b))
        0.5 ± 0
    """
    a, b = _paired(numerator, denominator)
    if denominator.mean == 0:
        raise ValueError("denominator: its mean is 0, which has no ratio; compare differences instead")
    ratio = a.mean() / b.mean()
    return Estimate.of(ratio + (a - ratio * b) / b.mean())


def _paired(a: Estimate, b: Estimate) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
    if len(a.linear) != len(b.linear):
        counts = f"{len(a.linear)} and {len(b.linear)} examples"
        raise ValueError(f"b: got estimates over {counts}, must be over the same; measure both on one x")
    return a.linear.double(), b.linear.to(a.linear.device).double()


def _sign_flip_p(values: Float[Tensor, "B"], alternative: Alternative, permutations: int, seed: int) -> float:
    side, v = SIDES[alternative], values.cpu()
    generator = torch.Generator().manual_seed(seed)
    flipped = [v @ (1.0 - 2.0 * torch.randint(2, v.shape, generator=generator)).double() for _ in range(permutations)]
    # sums that differ by rounding alone are ties
    tie = len(v) * torch.finfo(v.dtype).eps * v.abs().sum()
    as_far = (side(torch.stack(flipped)) >= side(v.sum()) - tie).sum()
    return (1 + int(as_far)) / (1 + permutations)
