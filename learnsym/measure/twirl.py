"""The twirl decomposition of a loss: what the average over the orbit loses, and what imperfect symmetry adds.

Legend of axes: `B` examples, `S` group samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions import GroupDistribution
from learnsym.distributions.draws import matching
from learnsym.measure._inputs import OutputLike, as_tensors, asked
from learnsym.measure._probe import Model
from learnsym.measure._reader import Reader, reading
from learnsym.measure.example_losses import LOSSES, LossOfExamples, loss_of_examples
from learnsym.measure.moves import Moves, check_moved
from learnsym.parts import Whole, examples
from learnsym.statistics import Estimate, ratio_of_means
from learnsym.symmetry import Symmetry, SymmetryLike


@dataclass(frozen=True, kw_only=True)
class TwirlDecomposition:
    """A loss over an orbit, split into the loss of the orbit mean and the part due to imperfect symmetry."""

    total: Estimate
    orbit_mean_loss: Estimate
    """What an exactly equivariant model, the twirl of this one, would lose."""
    asymmetry: Estimate
    """The difference of the two."""
    percent: Estimate
    """`100 asymmetry / total`, a ratio of means with the standard error of the delta method."""

    def __str__(self) -> str:
        return f"{self.percent} % of the loss {self.total}"


def twirl(
    model: Model,
    x: Whole,
    y: Whole,
    symmetry: SymmetryLike,
    loss: Literal["mse", "cross_entropy"] | LossOfExamples = "mse",
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> TwirlDecomposition:
    """Per cent of the loss that is due to imperfect symmetry.

    With `f_g(x) = g^-1·f(g·x)` and the twirl `f̄ = E_g f_g`, which is exactly equivariant,

        E_g ℓ(f_g, y) = ℓ(f̄, y) + asymmetry,    asymmetry >= 0 as ℓ is convex in the outputs

    Squared loss: the asymmetry is `E_g |f_g - f̄|²`. Cross-entropy of logits: `f̄` averages logits, the asymmetry is
    `E_g KL(softmax f̄ || softmax f_g)`. Neither depends on the label. The average is over moved inputs, so that the
    total is the loss on a test set that is moved at random, not the loss on `x` as it stands. What interpolation and
    the border do to moved images counts as asymmetry.

    With `S` draws, `ℓ` of their mean exceeds `ℓ(f̄)`. The delete-one jackknife removes that bias,

        ℓ(f̄) ≈ S ℓ(f̄_S) - (S - 1) / S · sum_s ℓ(f̄_{S without s})

    exactly for the squared loss (the asymmetry is then `S / (S - 1)` times the mean of `|f_s - f̄_S|²`), to order
    `1 / S²` for others. A group of at most `samples` elements is averaged over exactly.

    Reference: Shen et al., "Training dynamics of learning 3D-rotational equivariance" (2025), arXiv 2512.02303;
    Quenouille, "Notes on bias in estimation" (1956).

    Args:
        model: any callable of a batch; a module is put into evaluation mode and back.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        y: targets, as outputs that belong to `x` itself.
        symmetry: whose action on outputs pulls them back.
        loss: `mse` (mean over the outputs of an example), `cross_entropy` of logits `(B, C, ...)` with class indices
            `(B, ...)`, or any function `(outputs, y) -> (B,)` that is convex in the outputs.
        samples: number `S` of group elements per example, at least 2.
        distribution: of the elements; the Haar measure when None. The decomposition holds for any law, but only that of
            the whole group makes the orbit mean equivariant.
        seed: of the elements; the same seed moves any model's inputs alike.
        output: key of the part of what the model returns that is measured, such as `logits`, or a function that takes
            it out; the part that the symmetry is about when None, see `Symmetry.at`.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        Total, orbit-mean loss and asymmetry per example, and the percentage.

    Raises:
        ValueError: when data do not fit the symmetry or each other, for fewer than 2 samples, or a loss that does not
            give one value per example.

    Example:
        >>> x = torch.rand(100, 1, 4, 4)
        >>> y = x.mean((-2, -1))
        >>> top = lambda x: x[..., :2, :].mean((-2, -1))  # the twirl of the top half is the mean
        >>> round(ls.measure.twirl(top, x, y, ls.symmetry.quarter_turns2d()).percent.mean)
        100
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    y = as_tensors(y, model)
    _check(x, y, symmetry, loss)
    draws = Moves(symmetry, samples, distribution, seed).draws(x)
    with reading(model, x, output, batch_size) as read:
        f = torch.stack([_pulled_back(read, g, x, symmetry) for g in draws.elements]).double()
        of = partial(loss_of_examples, LOSSES[loss] if isinstance(loss, str) else loss, y)
        total = torch.stack([of(f_s) for f_s in f]).mean(0)
        orbit_mean_loss = of(f.mean(0)) if draws.is_whole else _jackknife(of, f)
    return _decomposition(total, orbit_mean_loss)


def _pulled_back(read: Reader, g: Tensor, x: Whole, symmetry: Symmetry) -> Tensor:
    """`f_g(x) = g^-1·f(g·x)`."""
    moved = read.moved(symmetry.on_input, matching(g, symmetry.moving(x)), x)
    back = symmetry.group.inverse(g)
    return symmetry.on_output(matching(back, moved), moved)


def _jackknife(of: Callable[[Tensor], Tensor], f: Float[Tensor, "S B ..."]) -> Float[Tensor, "B"]:
    """`S ℓ(f̄_S) - (S - 1) / S · sum_s ℓ(f̄_{S without s})`."""
    count, mean = len(f), f.mean(0)
    # f̄ without s = f̄ + (f̄ - f_s) / (S - 1)
    without = [of(mean + (mean - f_s) / (count - 1)) for f_s in f]
    return count * of(mean) - (count - 1) * torch.stack(without).mean(0)


def _decomposition(total: Float[Tensor, "B"], orbit_mean_loss: Float[Tensor, "B"]) -> TwirlDecomposition:
    whole, asymmetry = Estimate.of(total), total - orbit_mean_loss
    return TwirlDecomposition(
        total=whole,
        orbit_mean_loss=Estimate.of(orbit_mean_loss),
        asymmetry=Estimate.of(asymmetry),
        # nothing is due to asymmetry where there is no loss
        percent=ratio_of_means(Estimate.of(100 * asymmetry), whole) if whole.mean else Estimate.of(0 * total),
    )


def _check(x: Whole, y: Tensor, symmetry: Symmetry, loss: str | LossOfExamples) -> None:
    check_moved(x, symmetry)
    if len(y) != examples(x):
        raise ValueError(f"y: got {len(y)} targets for {examples(x)} examples, must be one each; give those of x")
    if isinstance(loss, str) and loss not in LOSSES:
        raise ValueError(f"loss: got {loss!r}, must be one of {', '.join(LOSSES)} or a function of outputs and targets")
