"""What held-out examples say about which of several predictive models to trust.

Legend of axes: `N` examples, `S` models (streams), `R` draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.statistics import LEVEL

BURN_IN = 200


@dataclass(frozen=True)
class StreamPosterior:
    """Beliefs about streams after `N` held-out examples."""

    single: Float[Tensor, "S"]
    """`p(s | D)`: the probability that one stream alone is right about all examples (Bayesian model averaging)."""
    weights: Float[Tensor, "R S"]
    """Draws of the weights `π` of a mixture of the streams, each of which is right about some examples (stacking)."""

    @property
    def mean(self) -> Float[Tensor, "S"]:
        """The posterior mean of the weights."""
        return self.weights.mean(0)

    def interval(self, level: float = LEVEL) -> tuple[Float[Tensor, "S"], Float[Tensor, "S"]]:
        """The equal-tailed credible interval of each weight."""
        low, high = self.weights.quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2]).to(self.weights), 0)
        return low, high


def stream_posterior(
    log_likelihoods: Float[Tensor, "N S"], prior: Float[Tensor, "S"], draws: int = 2000, seed: int = 0
) -> StreamPosterior:
    """The posterior over streams from the log likelihood of each held-out example under each stream.

        p(s | D) ∝ prior_s Π_n p_s(y_n | x_n)
        p(π | D) ∝ Dirichlet(π; prior) Π_n Σ_s π_s p_s(y_n | x_n)

    The first asks which one stream is best and becomes certain with many examples even when two hardly differ. The
    second lets each example have its own stream; it is drawn by Gibbs sampling, alternating the stream of each example
    and the weights, each from its exact conditional.

    Reference: Yao, Vehtari, Simpson, Gelman, "Using stacking to average Bayesian predictive distributions" (2018),
    arXiv 1704.02030; data augmentation: Diebolt, Robert (1994).

    Args:
        log_likelihoods: `log p_s(y_n | x_n)`.
        prior: positive pseudo-counts of the streams; normalised they are the prior `p(s)`.
        draws: number of draws of `π`, after 200 that are thrown away.
        seed: of the draws.

    Raises:
        ValueError: for a prior that is not positive or does not fit, or values that are not finite.

    Example:
        >>> better = torch.tensor([[-0.1, -1.0]]).expand(50, 2)
        >>> posterior = ls.relax.stream_posterior(better, torch.ones(2))
        >>> bool(posterior.mean[0] > 0.9), bool(posterior.single[0] > 0.99)
        (True, True)
    """
    values, alpha = log_likelihoods.detach().double().cpu(), prior.detach().double().cpu()
    _check(values, alpha)
    single = (values.sum(0) + (alpha / alpha.sum()).log()).softmax(0)
    likelihoods = (values - values.amax(1, keepdim=True)).exp()
    random = torch.Generator().manual_seed(seed)
    weights, drawn = alpha / alpha.sum(), []
    for step in range(BURN_IN + draws):
        chosen = torch.multinomial(likelihoods * weights + 1e-300, 1, generator=random)
        counts = torch.bincount(chosen[:, 0], minlength=len(alpha))
        weights = _dirichlet(alpha + counts, random)
        if step >= BURN_IN:
            drawn.append(weights)
    return StreamPosterior(single, torch.stack(drawn))


def _dirichlet(concentration: Tensor, random: torch.Generator) -> Tensor:
    """A draw, as Gamma variables divided by their sum; small numbers are kept from zero."""
    gamma = torch._standard_gamma(concentration, generator=random).clamp(min=1e-300)
    return gamma / gamma.sum()


def _check(values: Tensor, alpha: Tensor) -> None:
    if values.ndim != 2 or not bool(values.isfinite().all()):
        raise ValueError(f"log_likelihoods: got shape {tuple(values.shape)}, must be finite (examples, streams)")
    if alpha.shape != values.shape[1:] or not bool((alpha > 0).all()):
        raise ValueError(f"prior: got {alpha.tolist()}, must hold {values.shape[1]} positive numbers, one a stream")
