"""Variance components of nested measurements: what more examples, and what more group samples would buy.

Legend of axes: `B` examples, `S` group samples within an example, `P` probes within a sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from learnsym.statistics.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class VarianceComponents:
    """How much each level of a nested design adds to the variance of one value."""

    components: tuple[Estimate, ...]
    """Of examples, of samples within an example, of probes within a sample; unbiased, hence below 0 by chance."""

    def stderr(self, *counts: int) -> float:
        """Standard error of the mean of a design with these counts, one per level, outermost first.

        Raises:
            ValueError: for a wrong number of counts, or a count below 1.
        """
        if len(counts) != len(self.components) or min(counts) < 1:
            raise ValueError(
                f"counts: got {counts}, must be {len(self.components)} numbers >= 1, outermost level first"
            )
        # var(mean) = σ₀² / B + σ₁² / (B S) + σ₂² / (B S P)
        sizes = [math.prod(counts[: level + 1]) for level in range(len(counts))]
        return sum(max(part.mean, 0.0) / size for part, size in zip(self.components, sizes, strict=True)) ** 0.5


def variance_components(values: Float[Tensor, "B S *P"]) -> VarianceComponents:
    """The variance components of a balanced nested design, by the method of moments.

    Values are `y_ijk = μ + a_i + b_ij + c_ijk` with independent parts of variance `σ₀², σ₁², σ₂²`. With `V_l` the
    variance along level `l` of means over the levels below, averaged over the levels above,

        σ_l² = V_l - V_{l+1} / n_{l+1},    var(ȳ) = V_0 / B

    Reference: Searle, Casella, McCulloch, "Variance Components" (1992), chapter 3.

    Args:
        values: of each example, sample and (if any) probe; draws of different examples must be independent.

    Returns:
        One component per axis; each is an estimate over examples, and `stderr(...)` predicts other designs.

    Raises:
        ValueError: for fewer than two axes, an axis of length 1, or values that are not finite.

    Example:
        >>> values = torch.randn(1000, 1) + 3 * torch.randn(1000, 4)  # variances 1 and 9
        >>> found = ls.statistics.variance_components(values)
        >>> [round(found.stderr(1000, samples), 2) for samples in (4, 16, 64)]
        [0.06, 0.04, 0.03]
    """
    _check(values)
    v = values.double()
    components: list[Estimate] = []
    below = 0.0 * v.flatten(1).mean(1)
    for level in reversed(range(v.ndim)):
        means = v.flatten(level + 1).mean(-1) if level + 1 < v.ndim else v
        # per example, so that its mean is V_l
        variance = means.var(level).reshape(len(v), -1).mean(1) if level else _of_each(means)
        components.insert(0, Estimate.of(variance - below))
        below = variance / v.shape[level]
    return VarianceComponents(components=tuple(components))


def _of_each(means: Float[Tensor, "B"]) -> Float[Tensor, "B"]:
    """What each example adds to the variance of all, unbiased."""
    return (means - means.mean()).square() * len(means) / (len(means) - 1)


def _check(values: Tensor) -> None:
    if values.ndim < 2 or min(values.shape) < 2:
        expected = "(examples, samples) or (examples, samples, probes) with at least 2 of each"
        raise ValueError(f"values: got shape {tuple(values.shape)}, must be {expected}")
    if not values.isfinite().all():
        raise ValueError("values: some are not finite; leave these examples out")
