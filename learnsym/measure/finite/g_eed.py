"""G-empirical equivariance deviation: how far outputs along an orbit are from their common centroid.

Legend of axes: `B` examples, `S` elements per example, `n` size of their matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity

from learnsym.distributions import GroupDistribution
from learnsym.measure._inputs import OutputLike, asked
from learnsym.measure._probe import Model
from learnsym.measure._reader import Reader, reading
from learnsym.measure.moves import Moves, squared_distance
from learnsym.parts import Whole
from learnsym.statistics import Estimate
from learnsym.symmetry import Symmetry, SymmetryLike


@dataclass(frozen=True, kw_only=True)
class EquivarianceDeviation:
    """G-EED with two distances, each beside its value for the centroid of another example, drawn at random."""

    cosine: Estimate
    euclidean: Estimate
    """In the unit of the outputs."""
    cosine_chance: Estimate
    euclidean_chance: Estimate


def g_eed(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> EquivarianceDeviation:
    """The G-empirical equivariance deviation: the mean distance of outputs on an orbit from its centroid.

        G-EED_i = mean_s m(f(g_s x_i), g_s c_i),    c_i = mean_s g_s^-1 f(g_s x_i)

    with the cosine and the Euclidean distance as `m`. For outputs that do not move `c` is the plain centroid. Two
    passes over the group hold one output per example instead of the orbit. Neither distance knows how far outputs of
    unrelated examples are apart; the chance values, `m(f(g_s x_i), g_s c_j(i))`, do.

    Reference: Kvinge et al., "In what ways are deep neural networks invariant and how should we measure this?" (2022),
    for outputs that do not move; arXiv 2210.03773.

    Args:
        model: any callable of a batch; for the latent deviation the part of the network up to a layer, or a model that
            returns that layer.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: what is tested, or its name; a finite group of at most `samples` elements is taken whole.
        samples: number of draws per example from other groups.
        distribution: of the draws; the Haar measure when None.
        seed: of draws and pairing.
        output: key of the part of what the model returns that is measured, such as `logits`, or a function that takes
            it out; the part that the symmetry is about when None, see `Symmetry.at`.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        Both deviations with their chance values.

    Raises:
        ValueError: when `x` does not fit the symmetry, for fewer than 2 examples, for outputs that are not finite or no
            tensor, or without a distribution on a group that is not compact.

    Example:
        >>> x = torch.rand(8, 1, 6, 6)
        >>> ls.measure.g_eed(lambda x: x.mean((2, 3)), x, ls.symmetry.quarter_turns2d()).euclidean.mean < 1e-6
        True
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    moves = Moves(symmetry, samples, distribution, seed)
    elements, partner = moves.orbit(x), moves.partners(x)
    with reading(model, x, output, batch_size) as read:
        centroids = _centroids(read, x, symmetry, elements)
        distances = torch.zeros((), dtype=torch.float64)
        for g in elements:
            moved = read.moved(symmetry.on_input, g, x)
            own, other = symmetry.on_output(g, centroids), symmetry.on_output(g, centroids[partner])
            distances = distances + torch.stack([*_distances(moved, own), *_distances(moved, other)]) / len(elements)
    names = ("cosine", "euclidean", "cosine_chance", "euclidean_chance")
    return EquivarianceDeviation(**{name: Estimate.of(part) for name, part in zip(names, distances, strict=True)})


def _centroids(read: Reader, x: Whole, symmetry: Symmetry, elements: Float[Tensor, "S B n n"]) -> Tensor:
    total = torch.zeros(())
    for g in elements:
        # f(g·x) -> g^-1·f(g·x)
        outputs = read.moved(symmetry.on_input, g, x)
        total = total + symmetry.on_output(symmetry.group.inverse(g), outputs)
    return total / len(elements)


def _distances(a: Tensor, b: Tensor) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
    square = squared_distance(a, b)
    cosine = 1 - cosine_similarity(a.reshape(len(a), -1).double(), b.reshape(len(b), -1).double())
    # two zeros have no angle between them, and are equal
    return torch.where(square == 0, square, cosine.clamp_min(0.0)), square.sqrt()
