"""How far any model is from equivariance.

Legend of axes: `B` examples, `S` group samples.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Shaped
from torch import Tensor

from learnsym._modes import evaluating
from learnsym.distributions import GroupDistribution
from learnsym.measure._probe import Model, Output, in_units_of
from learnsym.measure.moves import Moves, squared_distance
from learnsym.statistics import Estimate
from learnsym.symmetry import Symmetry


def equivariance_error(
    model: Model,
    x: Shaped[Tensor, "B ..."],
    symmetry: Symmetry,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
    *,
    output: Output | None = None,
    batch_size: int = 64,
) -> Estimate:
    """The relative equivariance error of a model.

    The root mean square over `g` of `f(g·x) - g·f(x)`, in units of how far outputs of unrelated examples are apart:

        e_i = sqrt(mean_s |f(g_s x_i) - g_s f(x_i)|²) / D,    D² = mean_{i,s} |g_s f(x_i) - g_s f(x_j(i))|²

    with `j` a random pairing without fixed points. 0 is exact equivariance; at 1, moving an input changes the output as
    much as taking another input. `D` is held fixed in the standard error.

    Args:
        model: any callable of a batch; a module is put into evaluation mode and back.
        x: examples.
        symmetry: what is tested.
        samples: number `S` of group elements per example.
        distribution: of the elements; the Haar measure when None.
        seed: of elements and pairing; the same seed moves any model's inputs alike.
        output: takes the tensor out of what the model returns, when it returns a tuple or a dictionary.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        The mean over examples, its standard error over examples, and each `e_i`.

    Raises:
        ValueError: when `x` does not fit the symmetry, for fewer than 2 examples, for outputs that are not finite or
            no tensor, or without a distribution on a group that is not compact.

    Example:
        >>> mean = lambda x: x.mean((-2, -1))
        >>> x = torch.rand(8, 1, 6, 6)
        >>> ls.measure.equivariance_error(mean, x, ls.symmetry.quarter_turns2d()).mean < 1e-6
        True
    """
    moves = Moves(symmetry, samples, distribution, seed, batch_size)
    elements = moves.stratified(x)
    with torch.no_grad(), evaluating(model):
        outputs = moves.outputs(model, x, output)
        other = outputs[moves.partners(x)]
        # f(g·x), g·f(x) and the same g moving the output of another example
        triples = (
            (
                moves.outputs(model, symmetry.on_input(g, x), output),
                symmetry.on_output(g, outputs),
                symmetry.on_output(g, other),
            )
            for g in elements
        )
        return relative(triples)


def interpolation_floor(
    x: Shaped[Tensor, "B ..."],
    symmetry: Symmetry,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
) -> Estimate:
    """The part of an equivariance error that moving alone makes: the error of a round trip of the inputs.

    The statistic of `equivariance_error` with `g^-1·(g·x)` against `x`: what interpolation blurs and what leaves the
    view. 0 up to rounding for actions that do not interpolate. A model that ignores fine detail can be below it.

    Args:
        x: examples.
        symmetry: what is tested.
        samples: number of group elements per example.
        distribution: of the elements; the Haar measure when None.
        seed: of elements and pairing.

    Example:
        >>> x = torch.rand(8, 1, 6, 6)
        >>> ls.measure.interpolation_floor(x, ls.symmetry.quarter_turns2d()).mean
        0.0
    """
    moves = Moves(symmetry, samples, distribution, seed)
    elements = moves.stratified(x)
    other, group, move = x[moves.partners(x)], symmetry.group, symmetry.on_input
    return relative((move(group.inverse(g), move(g, x)), x, other) for g in elements)


def relative(triples: Iterator[tuple[Tensor, Tensor, Tensor]]) -> Estimate:
    """Root mean square distance of first and second per example, over the one of second and third."""
    error = distance = torch.zeros(())
    count = 0
    for actual, expected, other in triples:
        error, distance = error + squared_distance(actual, expected), distance + squared_distance(expected, other)
        count += 1
    scale = (distance / count).mean().sqrt()
    return Estimate.of(in_units_of((error / count).sqrt(), scale))
