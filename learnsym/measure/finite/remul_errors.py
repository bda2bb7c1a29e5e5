"""The two errors of relaxed equivariance through multitask learning (REMUL)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from learnsym.distributions import GroupDistribution
from learnsym.measure._inputs import OutputLike, asked
from learnsym.measure._probe import Model
from learnsym.measure._reader import reading
from learnsym.measure.moves import Moves
from learnsym.parts import Whole, examples
from learnsym.statistics import Estimate
from learnsym.symmetry import SymmetryLike


@dataclass(frozen=True, kw_only=True)
class RemulErrors:
    """Two equivariance errors in the unit of the outputs, and the second one relative to the size of the outputs."""

    of_means: Estimate
    """`E`: between the two means over the group. It can vanish for a function that is not equivariant."""
    deviation: Estimate
    """`E'`: the mean distance, which vanishes for equivariant functions alone."""
    relative: Estimate
    """`E'` over the mean size of an output."""


def remul_errors(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> RemulErrors:
    """The equivariance errors that go with REMUL's penalty.

        E_i  = |mean_s g_s f(x_i) - mean_s f(g_s x_i)|
        E'_i = mean_s |f(g_s x_i) - g_s f(x_i)|
        relative_i = E'_i / mean_s |g_s f(x_i)|

    Over all rotations the first mean of a vector is 0, so that `E` is small for functions far from equivariant; read
    `E'`. The relative error is ours: its scale is the size of an output, so that a constant added to all outputs makes
    it small; `equivariance_error` divides by distances between outputs instead.

    Reference: Elhag, Rusch, Di Giovanni, Bronstein, "Relaxed equivariance via multitask learning" (2024), arXiv
    2410.17878.

    Args:
        model: any callable of a batch; a module is put into evaluation mode and back.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: what is tested, or its name; a finite group of at most `samples` elements is taken whole.
        samples: number of draws per example from other groups.
        distribution: of the draws; the Haar measure when None.
        seed: of the draws.
        output: key of the part of what the model returns that is measured, such as `logits`, or a function that takes
            it out; the part that the symmetry is about when None, see `Symmetry.at`.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        The errors.

    Raises:
        ValueError: when `x` does not fit the symmetry, for outputs that are not finite or no tensor, or without a
            distribution on a group that is not compact.

    Example:
        >>> x = torch.rand(8, 1, 6, 6)
        >>> ls.measure.remul_errors(lambda x: x.mean((2, 3)), x, ls.symmetry.quarter_turns2d()).deviation.mean < 1e-6
        True
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    moves = Moves(symmetry, samples, distribution, seed)
    elements = moves.orbit(x)
    with reading(model, x, output, batch_size) as read:
        pairs, count = list(moves.pairs(read, x, elements)), examples(x)
    moved, expected = (torch.stack(part).reshape(len(part), count, -1).double() for part in zip(*pairs, strict=True))
    deviation = (moved - expected).norm(dim=2).mean(0)
    size = expected.norm(dim=2).mean(0)
    return RemulErrors(
        of_means=Estimate.of((moved.mean(0) - expected.mean(0)).norm(dim=1)),
        deviation=Estimate.of(deviation),
        relative=Estimate.of(torch.where(deviation == 0, deviation, deviation / size)),
    )
