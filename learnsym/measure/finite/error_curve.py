"""The equivariance error as a function of the group element.

Legend of axes: `B` examples, `K` elements, `n` size of their matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym.distributions import Quadrature
from learnsym.distributions.draws import matching
from learnsym.measure._distance import Distance
from learnsym.measure._inputs import OutputLike, asked
from learnsym.measure._probe import Model
from learnsym.measure._reader import reading
from learnsym.measure.moves import check_elements, check_moved, pairing, squared_distance
from learnsym.parts import Whole
from learnsym.statistics import Estimate
from learnsym.symmetry import SymmetryLike


@dataclass(frozen=True, kw_only=True)
class ErrorCurve:
    """The relative equivariance error at each element of a quadrature, beside what interpolation alone makes."""

    at: Quadrature
    errors: tuple[Estimate, ...]
    """One per element."""
    floors: tuple[Estimate, ...]
    """The same of a round trip of the inputs, `g^-1·(g·x)` against `x`."""
    average: Estimate
    """Root mean square over the quadrature, per example."""
    average_floor: Estimate


def error_curve(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    at: Quadrature | None = None,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> ErrorCurve:
    """The relative equivariance error of a model at each of a few group elements.

    The statistic of `equivariance_error`, before the mean over elements `g_k` of weight `w_k`:

        e_i(g_k) = |f(g_k x_i) - g_k f(x_i)| / D,    D² = sum_k w_k mean_i |g_k f(x_i) - g_k f(x_j(i))|²

    One `D` for all elements, so that values along a curve compare; `sqrt(sum_k w_k e_i(g_k)²)` is the average, without
    an error from sampling where the quadrature is exact. Curves along generators do not see reflections:
    `Quadrature.components` does.

    Args:
        model: any callable of a batch; a module is put into evaluation mode and back.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: what is tested; or its name, or a list of several.
        at: the elements; `Quadrature.haar(symmetry.group)` when None.
        seed: of the pairing `j`.
        output: key of the part of what the model returns that is measured, such as `logits`, or a function that takes
            it out; the part that the symmetry is about when None, see `Symmetry.at`.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        Errors and interpolation floors, one estimate per element, and their averages.

    Raises:
        ValueError: when `x` or `at` does not fit the symmetry, for fewer than 2 examples, for outputs that are not
            finite or no tensor, or without `at` for a group that has no known quadrature.

    Example:
        >>> symmetry = ls.symmetry.orthogonal2d()
        >>> left = lambda x: x[..., :3].mean((1, 2, 3))[:, None]
        >>> flips = ls.measure.Quadrature.components(symmetry.group)
        >>> curve = ls.measure.error_curve(left, torch.rand(8, 1, 6, 6), symmetry, flips)
        >>> [bool(error.mean > 0.1) for error in curve.errors]
        [False, True]
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    at = Quadrature.haar(symmetry.group) if at is None else at
    check_moved(x, symmetry)
    check_elements(at.elements, symmetry.group, "at")
    moving = symmetry.moving(x)
    partner = pairing(len(moving), seed)
    elements = matching(at.elements, moving)[:, None].expand(-1, len(moving), -1, -1)
    with reading(model, x, output, batch_size) as read:
        outputs = read(x)
        moved = ((read.moved(symmetry.on_input, g, x), symmetry.on_output(g, outputs)) for g in elements)
        errors, average = _relative(moved, outputs, partner, at)
    inverse, move = symmetry.group.inverse, symmetry.on_input.within
    returned = ((move(inverse(g), move(g, moving)), moving) for g in elements)
    floors, average_floor = _relative(returned, moving, partner, at)
    return ErrorCurve(at=at, errors=errors, floors=floors, average=average, average_floor=average_floor)


def _relative(
    compared: Iterator[tuple[Tensor, Tensor]], y: Tensor, partner: Tensor, at: Quadrature
) -> tuple[tuple[Estimate, ...], Estimate]:
    """Distance of both at each element and on average, over the one of the second of unrelated examples."""
    # all examples move by one element, so that the moved output of a partner is at hand
    squares = [(squared_distance(a, b), squared_distance(b, b[partner])) for a, b in compared]
    errors, distances = (torch.stack(part) for part in zip(*squares, strict=True))
    distance = Distance.between(at.average(distances), y, partner)
    return tuple(map(distance.estimate, errors.sqrt())), distance.estimate(at.average(errors).sqrt())
