"""Principal axes of 3 x 3 matrices, and how well a sample knows them.

Legend of axes: `M` models, `B` examples, `R` replicates, `n` units that are drawn.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.statistics import student_quantile


def principal_axes(q: Float[Tensor, "*R 3 3"]) -> tuple[Float[Tensor, "*R 3"], Float[Tensor, "*R 3 3"]]:
    """Eigenvalues in ascending order, not below 0, and unit vectors in rows, the largest coordinate positive."""
    values, vectors = torch.linalg.eigh(q)
    axes = vectors.mT
    largest = axes.gather(-1, axes.abs().argmax(-1, keepdim=True))
    # no negative zeros
    return values.clamp(min=0), axes * largest.sign() + 0.0


def angles(axes: Float[Tensor, "*R 3"], n: Float[Tensor, "3"]) -> Float[Tensor, "*R"]:
    """Degrees between unit vectors up to sign; also of small angles, for which the cosine is 1."""
    sine = torch.linalg.cross(axes, n.expand_as(axes)).norm(dim=-1)
    return torch.rad2deg(torch.atan2(sine, (axes @ n).abs()))


def replicates_of(q: Float[Tensor, "M B 3 3"], count: int, level: float, seed: int) -> Float[Tensor, "R 3 3"]:
    """Means over models and examples, both drawn with replacement, the same examples for all models.

    Args:
        q: one matrix for each model and example.
        count: number `R` of replicates.
        level: of the intervals that are made of them.
        seed: of the draws.
    """
    generator = torch.Generator().manual_seed(seed)
    of_models, of_examples = (_weights(size, count, level, generator).to(q) for size in q.shape[:2])
    per_model = (of_examples @ q.movedim(1, 0).flatten(1)).unflatten(1, (len(q), 3, 3))
    return (of_models[..., None, None] * per_model).sum(1)


def _weights(size: int, count: int, level: float, generator: torch.Generator) -> Float[Tensor, "R n"]:
    """Weights of units drawn with replacement, of mean `1 / size`; 1 for a single unit.

    Deviations are widened by `(n / (n - 1))^(1/2) t / z`, Student's quantile over the normal one, since few units look
    too much alike. Reference for widening: Rao, Wu, "Resampling inference with complex survey data" (1988).
    """
    if size == 1:
        return torch.ones(count, 1)
    drawn = torch.randint(size, (count, size), generator=generator)
    shares = torch.zeros(count, size).scatter_add_(1, drawn, torch.ones(count, size)) / size
    wider = (size / (size - 1)) ** 0.5 * student_quantile(level, size - 1) / student_quantile(level, math.inf)
    return 1 / size + (shares - 1 / size) * wider


def gap_p_value(mean: Float[Tensor, "3 3"], replicates: Float[Tensor, "R 3 3"]) -> float:
    """How likely a gap between the two smallest eigenvalues as large as that of the mean is when there is none.

    Gaps of a sample are never 0, so replicates are moved to be around a matrix without the gap.

    Reference: Beran, Srivastava, "Bootstrap tests and confidence regions for functions of a covariance matrix" (1985).
    """
    values, vectors = torch.linalg.eigh(mean)
    # the nearest matrix whose two smallest eigenvalues coincide
    merged = torch.stack([values[:2].mean(), values[:2].mean(), values[2]])
    eigenvalues = torch.linalg.eigvalsh((vectors * merged) @ vectors.mT + replicates - mean)
    # gaps that differ by rounding alone are ties
    tie = 1e-12 * values[2]
    as_wide = (eigenvalues[:, 1] - eigenvalues[:, 0] >= values[1] - values[0] - tie).sum()
    return (1 + int(as_wide)) / (1 + len(replicates))
