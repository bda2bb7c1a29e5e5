"""What held-out losses say of hypotheses: how probable each is, with which weights they predict, what chance reaches.

Legend of axes: `H` hypotheses, `N` held-out examples.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from learnsym.objectives.losses import LossFunction, loss_of

DRAWS = 2000
"""Resamples of the held-out examples."""
FOLDS = 5
ROUNDS = 200
"""Steps of exponentiated gradients; the loss is concave in weights, and two hypotheses need few."""


def loss_per_example(loss_fn: LossFunction, outputs: Tensor, targets: Tensor) -> Float[Tensor, "N"]:
    """The loss of each example by itself."""
    pairs = zip(outputs.split(1), targets.split(1), strict=True)
    return torch.stack([loss_of(loss_fn, output, target) for output, target in pairs]).double()


def chance(loss_fn: LossFunction, outputs: Tensor, targets: Tensor) -> float:
    """The least loss of outputs that are the same for all examples, one number per channel."""
    shape = [1, outputs.shape[1], *[1] * (outputs.ndim - 2)] if outputs.ndim > 1 else [1]
    constant = torch.zeros(shape, dtype=torch.float32, requires_grad=True)
    search = torch.optim.LBFGS([constant], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        value = loss_of(loss_fn, constant.expand_as(outputs), targets)
        value.backward()
        return value

    with torch.enable_grad():
        search.step(loss)
    return float(loss_of(loss_fn, constant.detach().expand_as(outputs), targets))


def winning_probabilities(
    losses: Float[Tensor, "R H N"], last: Int[Tensor, "H"], winner: int, eligible: Bool[Tensor, "H"]
) -> Float[Tensor, "H"]:
    """How often each hypothesis has the least loss when held-out examples are drawn again (bootstrap).

    Hypotheses that were dropped are compared with the winner as both were at the rung where they were last seen.

    Args:
        losses: at each rung `R`, NaN where an example was not looked at.
        last: the rung at which each hypothesis was last looked at.
        winner: the hypothesis that has gone on to the end with the least loss.
        eligible: those that are better than chance.
    """
    difference = torch.stack([losses[r, h] - losses[r, winner] for h, r in enumerate(last.tolist())])
    seen = difference.isfinite()
    generator = torch.Generator().manual_seed(0)
    count = losses.shape[-1]
    draws = torch.randint(count, (DRAWS, count), generator=generator)
    counts = torch.zeros(DRAWS, count, dtype=torch.float64).scatter_add_(1, draws, torch.ones_like(draws).double())
    total = counts @ torch.where(seen, difference, 0.0).T.double()
    means = total / (counts @ seen.T.double()).clamp(min=1)
    means[:, ~(eligible & seen.any(1))] = float("inf")
    wins = means.argmin(1)
    return torch.bincount(wins, minlength=len(last)).double() / DRAWS


def stacked(
    loss_fn: LossFunction, mix: Callable[[Tensor, Tensor], Tensor], outputs: Float[Tensor, "H N *rest"], targets: Tensor
) -> Float[Tensor, "H"]:
    """Weights of a mixture with the least loss, on the simplex, by exponentiated gradients.

    Reference: Yao, Vehtari, Simpson, Gelman, "Using stacking to average Bayesian predictive distributions" (2018).

    Args:
        loss_fn: `(outputs, targets) -> scalar`, convex in outputs.
        mix: outputs of the hypotheses and weights to the outputs of the mixture.
        outputs: of each hypothesis.
        targets: of the examples.
    """
    logits = torch.zeros(len(outputs), requires_grad=True)
    search = torch.optim.Adam([logits], lr=0.1)
    with torch.enable_grad():
        for _ in range(ROUNDS):
            search.zero_grad()
            loss_of(loss_fn, mix(outputs, logits.softmax(0)), targets).backward()
            search.step()
    return logits.detach().softmax(0)


def cross_fitted(
    loss_fn: LossFunction, mix: Callable[[Tensor, Tensor], Tensor], outputs: Float[Tensor, "H N *rest"], targets: Tensor
) -> Float[Tensor, "N"]:
    """The loss of each example under a mixture whose weights were found on the other folds."""
    fold = torch.arange(len(targets)) % FOLDS
    found = torch.zeros(len(targets), dtype=torch.float64)
    for k in range(min(FOLDS, len(targets))):
        weights = stacked(loss_fn, mix, outputs[:, fold != k], targets[fold != k])
        found[fold == k] = loss_per_example(loss_fn, mix(outputs[:, fold == k], weights), targets[fold == k])
    return found


def surely_less(losses: Float[Tensor, "N"], others: Float[Tensor, "N"]) -> bool:
    """Whether the mean of paired losses is less by more than 1.28 standard errors, one-sided at 90 %."""
    difference = losses - others
    return bool(difference.mean() < -1.28 * difference.std() / len(difference) ** 0.5)
