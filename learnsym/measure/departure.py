"""A test of "exactly equivariant, up to what interpolation and rounding do"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from learnsym.distributions import GroupDistribution
from learnsym.measure._inputs import OutputLike, asked
from learnsym.measure._probe import Model
from learnsym.measure._reader import reading
from learnsym.measure.equivariance_error import equivariance_error, relative
from learnsym.measure.moves import Moves
from learnsym.parts import Whole
from learnsym.statistics import Estimate, paired_difference
from learnsym.symmetry import SymmetryLike

ROUNDING = 16
"""Units in the last place that the arithmetic of a network may lose."""


@dataclass(frozen=True, kw_only=True)
class Exactness:
    """An equivariance error beside what moving alone makes of the outputs, and the p-value of "no larger"."""

    error: Estimate
    """`equivariance_error`."""
    floor: Estimate
    """The model's response to a round trip of its inputs and to rounding, in the same unit."""
    excess: Estimate
    """Error minus floor."""
    p_value: float

    def __str__(self) -> str:
        return f"{self.error}, floor {self.floor}, p = {self.p_value:.2g}"


def exactness_test(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> Exactness:
    """Whether a model departs from equivariance by more than interpolation and rounding explain.

    Error and floor of each example, in units of the distance `D` between outputs of unrelated examples:

        e_i = rms_s |f(g·x_i) - g·f(x_i)| / D,    e⁰_i = rms_s |g·f(g^-1·(g·x_i)) - g·f(x_i)| / D

    where inputs and outputs of the floor are also rounded at 16 units in the last place. The p-value is that of the
    one-sided sign-flip test for `e_i - e⁰_i` over examples. A small one says: not exact. A large one says that the
    error is hidden below the floor, not that it is 0.

    The floor interpolates twice where the error does so once, so the test is cautious: asymmetry below the floor is not
    seen. The floor is at rounding for quarter turns, flips, permutations and points, and there any other asymmetry is
    seen. Arithmetic coarser than the dtype of the output says (TF32, autocast) is not in the floor.

    Args:
        model: any callable of a batch; a module is put into evaluation mode and back.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: what is tested; or its name, or a list of several.
        samples: number of group elements per example.
        distribution: of the elements; the Haar measure when None.
        seed: of elements, pairing and rounding.
        output: key of the part of what the model returns that is measured, such as `logits`, or a function that takes
            it out; the part that the symmetry is about when None, see `Symmetry.at`.
        batch_size: examples per call of the model; does not change the result.

    Raises:
        ValueError: as `equivariance_error`; and when the model returns the same for all examples.

    Example:
        >>> x = torch.rand(20, 1, 6, 6)
        >>> mean, corner = (lambda x: x.mean((-2, -1))), (lambda x: x[..., 0, 0])
        >>> ls.measure.exactness_test(mean, x, ls.symmetry.quarter_turns2d()).p_value
        1.0
        >>> ls.measure.exactness_test(corner, x, ls.symmetry.quarter_turns2d()).p_value
        0.0005
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    error = equivariance_error(model, x, symmetry, samples, distribution, seed, output=output, batch_size=batch_size)
    moves = Moves(symmetry, samples, distribution, seed)
    with reading(model, x, output, batch_size) as read:
        outputs = read(x)
        floor = relative(_round_trips(read, x, outputs, moves), outputs, moves.partners(x))
    if not floor.per_sample.isfinite().all():
        raise ValueError(
            "model: its outputs are the same for all examples, which leaves nothing to test; check the model"
        )
    # both have the unit D, which says nothing of their order
    compared = paired_difference(Estimate.of(error.per_sample), Estimate.of(floor.per_sample), "greater", seed=seed)
    excess = Estimate.of(error.per_sample - floor.per_sample, linear=error.linear - floor.linear)
    return Exactness(error=error, floor=floor, excess=excess, p_value=compared.p_value)


def _round_trips(
    read: Callable[[Whole], Tensor], x: Whole, outputs: Tensor, moves: Moves
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """For each sample: outputs after a round trip, outputs, outputs of other examples, all moved by the element."""
    generator = torch.Generator().manual_seed(moves.seed)
    other = outputs[moves.partners(x)]
    move, inverse = moves.symmetry.on_input, moves.symmetry.group.inverse
    part = moves.symmetry.on_input.part
    for g in moves.stratified(x):
        # x -> g^-1·(g·x) -> f(g^-1·(g·x))
        back = move(inverse(g), move(g, x))
        returned = read(part.put(back, _rounded(part.get(back), generator)))
        on_output = partial(moves.symmetry.on_output, g)
        yield on_output(_rounded(returned, generator)), on_output(outputs), on_output(other)


def _rounded(t: Tensor, generator: torch.Generator) -> Tensor:
    """Each number a little larger or smaller, at random."""
    if not t.is_floating_point():
        return t
    sign = 1 - 2 * torch.randint(2, t.shape, generator=generator).to(t)
    return t * (1 + ROUNDING * torch.finfo(t.dtype).eps * sign)
