"""The effect of exchanging two positions of sets and graphs on what a model says.

Legend of axes: `B` examples, `N` positions.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from tqdm.auto import tqdm

from learnsym.actions import Set
from learnsym.groups import Group
from learnsym.measure._inputs import OutputLike, asked
from learnsym.measure._probe import Model
from learnsym.measure._reader import reading
from learnsym.measure.exchange.classes import Exchangeability
from learnsym.measure.moves import check_moved
from learnsym.parts import Whole, chosen, device_of, examples
from learnsym.ragged import mask_of
from learnsym.statistics import LEVEL, Estimate, Interval, check_level, ratio_of_means, student_interval
from learnsym.symmetry import Symmetry, SymmetryLike

LEAST = 10
"""Examples in which both positions of a pair are there, below which nothing is said of it."""


def exchangeability(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    margin: float = 0.1,
    level: float = LEVEL,
    *,
    mask: Bool[Tensor, "B N"] | None = None,
    output: OutputLike = None,
    batch_size: int = 64,
) -> Exchangeability:
    """The effect of exchanging each two positions on what a model says, and the partition that follows from it.

        r_ij = sqrt(mean_b |f(τ x_b) - τ f(x_b)|² / D²_ij),    τ = (i j)

    over the examples in which both positions are there. `D²_ij` is the mean square distance of what unrelated examples
    have: in the outputs of nodes `i` and `j` where outputs move as `Set`, and in the whole output otherwise. An exact
    network has 0 everywhere: for what data say, ask one that may tell positions apart, such as
    `relax.points.NodeIdentifiers`, on examples that it was not trained on.

    It is an equivalence test: not to find an effect is not enough, its upper bound must be below the margin.

    References: Schuirmann, "A comparison of the two one-sided tests procedure" (1987), for equivalence with a margin;
    the partition by exchanges is our own.

    Args:
        model: any callable of a batch; a module is put into evaluation mode and back. To see the effect on a held-out
            loss, give a function from inputs with their targets to the loss of each example.
        x: examples with `N` positions: a tensor, `Ragged` clouds, or a structure of which the symmetry says what moves.
        symmetry: of permutations, such as `symmetry.permutation(5)`; pairs that its group does not exchange are not
            asked about.
        margin: the largest effect of an exchange that is none.
        level: probability with which all verdicts hold.
        mask: which positions there are; that of `Ragged` clouds when None.
        output: key of the part of what the model returns that is measured, or a function that takes it out.
        batch_size: examples per call of the model; does not change the result.

    Raises:
        ValueError: when the symmetry permutes nothing, `x` or `mask` do not fit it, the margin is not positive, or
            outputs are the same for all examples.

    Example:
        >>> weights = torch.tensor([1.0, 1.0, -2.0])[:, None]
        >>> model = lambda x: (weights * x).sum(1)
        >>> print(ls.measure.exchangeability(model, torch.randn(40, 3, 2), ls.symmetry.permutation(3)))
        exchangeable: {0, 1} {2} (effect of an exchange below 0.1 at 90%)
    """
    check_level(level)
    if not margin > 0:
        raise ValueError(f"margin: got {margin}, must be positive; 0.1 is a tenth of the distance of unrelated outputs")
    x, symmetry, output = asked(model, x, symmetry, output)
    pairs = _pairs(symmetry.group)
    check_moved(x, symmetry)
    there = _present(x, mask, symmetry.group.n)
    ends = torch.full((3, symmetry.group.n, symmetry.group.n), torch.nan, dtype=torch.float64)
    counts = torch.full(ends.shape[1:], -1)
    with reading(model, x, output, batch_size) as read:
        outputs = read(x)
        for i, j in tqdm(pairs, desc="pairs of positions", leave=False, disable=None):
            both = there[:, i] & there[:, j]
            counts[i, j] = counts[j, i] = count = int(both.sum())
            if count >= LEAST:
                g = _transposition(symmetry.group.n, i, j).to(symmetry.moving(x).device).expand(count, -1, -1)
                moved = read.moved(symmetry.on_input, g, chosen(x, both))
                change = moved - symmetry.on_output(g, outputs[both])
                square, unit = _squares(symmetry, change, outputs[both], there[both], [i, j])
                effect = _effect(square, unit, 1 - (1 - level) / len(pairs), f"{i} and {j}")
                ends[:, i, j] = ends[:, j, i] = torch.tensor([effect.estimate, *effect.ends], dtype=torch.float64)
    effects, low, high = ends
    return Exchangeability(effects=effects, low=low, high=high, counts=counts, margin=margin, level=level)


def _pairs(group: Group) -> list[tuple[int, int]]:
    """The pairs of positions that a group of permutations exchanges."""
    if group.space != "index":
        raise ValueError(
            f"symmetry: got {group.name}, must be of permutations, such as symmetry.permutation(5), or a Symmetry of "
            "groups.YoungSubgroup for some positions only"
        )
    pairs = [(i, j) for i in range(group.n) for j in range(i + 1, group.n)]
    swaps = [pair for pair in pairs if bool(group.contains(_transposition(group.n, *pair)))]
    if not swaps:
        raise ValueError(f"symmetry: got {group.name}, which exchanges no two positions; take a larger group")
    return swaps


def _transposition(n: int, i: int, j: int) -> Float[Tensor, "N N"]:
    order = torch.arange(n)
    order[i], order[j] = j, i
    return torch.eye(n)[order]


def _present(x: Whole, mask: Tensor | None, n: int) -> Bool[Tensor, "B N"]:
    """Which positions there are."""
    found = mask_of(x) if mask is None else mask
    if found is None:
        return torch.ones(examples(x), n, dtype=torch.bool, device=device_of(x))
    if found.shape != (examples(x), n) or found.dtype != torch.bool:
        raise ValueError(
            f"mask: got {tuple(found.shape)} of {found.dtype}, must be ({examples(x)}, {n}) of bool, True for "
            "positions that there are"
        )
    return found


def _squares(
    symmetry: Symmetry, change: Tensor, outputs: Tensor, there: Bool[Tensor, "B N"], pair: list[int]
) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
    """`|change|²` of each example, and what it adds to the mean square distance `D²` of unrelated examples."""
    change, outputs = change.double(), outputs.double()
    if symmetry.on_output == Set():
        padding = ~there.reshape(*there.shape, *[1] * (change.ndim - 2))
        change, outputs = change.masked_fill(padding, 0.0), outputs[:, pair]
    square = change.reshape(len(change), -1).square().sum(1)
    spread = (outputs - outputs.mean(0)).reshape(len(outputs), -1).square().sum(1)
    # two independent examples are twice the variance apart
    return square, 2 * spread * len(outputs) / (len(outputs) - 1)


def _effect(square: Float[Tensor, "B"], unit: Float[Tensor, "B"], level: float, pair: str) -> Interval:
    """The root of the ratio of both means, with the interval of the ratio."""
    if not unit.any():
        raise ValueError(
            f"model: its output at positions {pair} is the same for all examples, so that its change has no scale; "
            "measure an output that differs between examples"
        )
    low, high = student_interval(ratio_of_means(Estimate.of(square), Estimate.of(unit)), level).ends
    ratio = float(square.mean() / unit.mean())
    return Interval(estimate=ratio**0.5, low=max(low, 0.0) ** 0.5, high=max(high, 0.0) ** 0.5, level=level)
