"""Whether predictions stay when inputs move: effective invariance, agreement, divergence.

Legend of axes: `B` examples, `K` classes, `*P` positions (none for a classifier).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions import GroupDistribution
from learnsym.measure._inputs import OutputLike, as_tensors, asked, output_of
from learnsym.measure._probe import Model
from learnsym.measure._reader import reading
from learnsym.measure.moves import Moves, check_moved
from learnsym.parts import Whole
from learnsym.statistics import Estimate
from learnsym.symmetry import Symmetry, SymmetryLike

Transform = Callable[[Whole], Whole]
"""Any transformation of a batch of inputs that should leave predictions as they are."""


@dataclass(frozen=True, kw_only=True)
class PredictionInvariance:
    """How well predictions keep under moves of the input, with and without regard to confidence."""

    effective_invariance: Estimate
    """In [0, 1]; large for predictions that agree and are confident."""
    agreement: Estimate
    """Share of moves under which the predicted class stays."""
    divergence: Estimate
    """Jensen-Shannon divergence of both predictive distributions, in bits, in [0, 1]; 0 for equal ones."""


def effective_invariance(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike | Transform,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> PredictionInvariance:
    """Effective invariance, with its agreement alone and the divergence of the predictive distributions beside it.

    With class probabilities `p = softmax(g·f(x))` and `q = softmax(f(g·x))`, the mean over `g` of

        EI = 1[argmax p = argmax q] sqrt(max p · max q),    JS = H((p + q) / 2) - (H(p) + H(q)) / 2

    It needs no labels. It mixes agreement with confidence, an overconfident model scores high, and its correlation with
    accuracy is an empirical finding that does not hold everywhere: read it beside the two others.

    Reference: Deng, Gould, Zheng, "On the strong correlation between model invariance and generalization" (2022), arXiv
    2207.07065.

    Args:
        model: any callable of a batch that returns logits `(B, K)`, or `(B, K, *P)` for maps, averaged over positions.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: what is tested, or its name; a finite group of at most `samples` elements besides the identity is
            taken whole. Or any function of a batch of inputs, such as a conversion to grey.
        samples: number of draws per example from other groups.
        distribution: of the draws; the Haar measure when None. Draws may be the identity.
        seed: of the draws.
        output: takes the logits out of what the model returns; `torch.log` when it returns probabilities.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        Effective invariance, agreement and divergence, each the mean over moves for each example.

    Raises:
        ValueError: when `x` does not fit the symmetry, for outputs that are not logits of 2 classes or more, not finite
            or no tensor, or without a distribution on a group that is not compact.

    Example:
        >>> model = lambda x: torch.stack([x.mean((1, 2, 3)), -x.mean((1, 2, 3))], 1)
        >>> found = ls.measure.effective_invariance(model, torch.rand(8, 1, 6, 6), ls.symmetry.quarter_turns2d())
        >>> found.agreement.mean, 0.5 < found.effective_invariance.mean < 0.9
        (1.0, True)
    """
    if callable(symmetry):
        x, output = as_tensors(x, model), output_of(output)
    else:
        x, symmetry, output = asked(model, x, symmetry, output)
        check_moved(x, symmetry)
    with reading(model, x, output, batch_size) as read:
        if isinstance(symmetry, Symmetry):
            moves = Moves(symmetry, samples, distribution, seed)
            logits = moves.pairs(read, x, moves.orbit(x, identity=False))
        else:
            logits = [(read.transformed(symmetry, x), read(x))]
        columns = torch.stack([_compared(moved, unmoved) for moved, unmoved in logits]).mean(0).unbind(1)
    effective, agreement, divergence = map(Estimate.of, columns)
    return PredictionInvariance(effective_invariance=effective, agreement=agreement, divergence=divergence)


def consistency(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike | Transform,
    samples: int = 8,
    distribution: GroupDistribution | None = None,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> Estimate:
    """The share of moves under which the predicted class stays: `mean_g 1[argmax f(g·x) = argmax g·f(x)]`.

    Reference: Zhang, "Making convolutional networks shift-invariant again" (2019), arXiv 1904.11486, there for shifts.

    Args, returns and raises are those of `effective_invariance`, whose `agreement` this is.

    Example:
        >>> model = lambda x: torch.stack([x[:, 0, 0, 0], x[:, 0, 0, -1]], 1)
        >>> float(ls.measure.consistency(model, torch.rand(8, 1, 6, 6), ls.symmetry.flip2d()).mean)
        0.0
    """
    options = {"output": output, "batch_size": batch_size}
    return effective_invariance(model, x, symmetry, samples, distribution, seed, **options).agreement


def _compared(moved: Float[Tensor, "B K *P"], unmoved: Float[Tensor, "B K *P"]) -> Float[Tensor, "B 3"]:
    """Effective invariance, agreement and divergence of each example, averaged over positions."""
    if moved.ndim < 2 or moved.shape[1] < 2:
        raise ValueError(
            f"output: got shape {tuple(moved.shape)}, must be logits (B, K) of K >= 2 classes; "
            "for one logit of two classes pass output=lambda z: torch.cat([z, -z], 1) / 2"
        )
    q, p = moved.double().softmax(1), unmoved.double().softmax(1)
    (q_hat, after), (p_hat, before) = q.max(1), p.max(1)
    same = (after == before).double()
    divergence = _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2
    columns = torch.stack([same * (p_hat * q_hat).sqrt(), same, divergence.clamp_min(0.0)], 1)
    return columns.reshape(len(moved), 3, -1).mean(2)


def _entropy(p: Float[Tensor, "B K *P"]) -> Float[Tensor, "B *P"]:
    """In bits."""
    return torch.special.entr(p).sum(1) / math.log(2)
