"""How far any model is from equivariance.

Legend of axes: `B` examples, `S` group samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from learnsym.actions import Jointly
from learnsym.distributions import GroupDistribution
from learnsym.measure._distance import Distance
from learnsym.measure._inputs import OutputLike, asked, moving
from learnsym.measure._probe import Model
from learnsym.measure._reader import reading
from learnsym.measure.moves import Moves, squared_distance
from learnsym.parts import Whole
from learnsym.statistics import Estimate
from learnsym.symmetry import SymmetryLike, as_symmetry


def equivariance_error(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> Estimate:
    """The relative equivariance error of a model.

    The root mean square over `g` of `f(g·x) - g·f(x)`, in units of how far outputs of unrelated examples are apart:

        e_i = sqrt(mean_s |f(g_s x_i) - g_s f(x_i)|²) / D,    D² = mean_{i,s} |g_s f(x_i) - g_s f(x_j(i))|²

    with `j` a random pairing without fixed points. 0 is exact equivariance; at 1, moving an input changes the output as
    much as taking another input. The standard error is that of the ratio, since `D` comes from the same examples.

    Args:
        model: any callable of a batch; a module is put into evaluation mode and back.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: what is tested; or its name, or a list of several.
        samples: number `S` of group elements per example.
        distribution: of the elements; the Haar measure when None.
        seed: of elements and pairing; the same seed moves any model's inputs alike.
        output: key of the part of what the model returns that is measured, such as `logits`, or a function that takes
            it out; the part that the symmetry is about when None, see `Symmetry.at`.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        The mean over examples, its standard error over examples with the chance of `D` in it, and each `e_i`.

    Raises:
        ValueError: when `x` does not fit the symmetry, for fewer than 2 examples, for outputs that are not finite or
            no tensor, or without a distribution on a group that is not compact.

    Example:
        >>> mean = lambda x: x.mean((-2, -1))
        >>> x = torch.rand(8, 1, 6, 6)
        >>> ls.measure.equivariance_error(mean, x, ls.symmetry.quarter_turns2d()).mean < 1e-6
        True
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    moves = Moves(symmetry, samples, distribution, seed)
    elements, partner, move = moves.stratified(x), moves.partners(x), symmetry.on_output
    with reading(model, x, output, batch_size) as read:
        outputs = read(x)
        # f(g·x), g·f(x) and the same g moving the output of another example
        triples = ((read.moved(symmetry.on_input, g, x), move(g, outputs), move(g, outputs[partner])) for g in elements)
        return relative(triples, outputs, partner)


def interpolation_floor(
    x: Whole,
    symmetry: SymmetryLike,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
) -> Estimate:
    """The part of an equivariance error that moving alone makes: the error of a round trip of the inputs.

    The statistic of `equivariance_error` with `g^-1·(g·x)` against `x`: what interpolation blurs and what leaves the
    view. 0 up to rounding for actions that do not interpolate. A model that ignores fine detail can be below it. Of
    parts that move jointly it is that of the first.

    Args:
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: what is tested; or its name, or a list of several.
        samples: number of group elements per example.
        distribution: of the elements; the Haar measure when None.
        seed: of elements and pairing.

    Example:
        >>> x = torch.rand(8, 1, 6, 6)
        >>> ls.measure.interpolation_floor(x, ls.symmetry.quarter_turns2d()).mean
        0.0
    """
    symmetry = as_symmetry(symmetry)
    if isinstance(symmetry.on_input, Jointly):
        symmetry = replace(symmetry, on_input=symmetry.on_input.parts[0])
    x, symmetry = moving(x, symmetry)
    moves = Moves(symmetry, samples, distribution, seed)
    elements = moves.stratified(x)
    partner, group, move = moves.partners(x), symmetry.group, symmetry.on_input
    return relative(((move(group.inverse(g), move(g, x)), x, x[partner]) for g in elements), x, partner)


def relative(triples: Iterator[tuple[Tensor, Tensor, Tensor]], y: Tensor, partner: Tensor) -> Estimate:
    """Root mean square distance of first and second per example, over the one of second and third.

    The third is what the partners of the examples have for the second, and `y` the second before any move.
    """
    error = distance = torch.zeros(())
    count = 0
    for actual, expected, other in triples:
        error, distance = error + squared_distance(actual, expected), distance + squared_distance(expected, other)
        count += 1
    return Distance.between(distance / count, y, partner).estimate((error / count).sqrt())
