"""The posterior of a few degrees by NUTS, with the spikes summed out.

Legend of axes: `R` draws, `Z` configurations, `A` degrees.
"""

from __future__ import annotations

from collections.abc import Callable

import pyro
import torch
from jaxtyping import Float, Int
from pyro.distributions import Uniform
from pyro.infer import MCMC, NUTS
from pyro.ops.stats import effective_sample_size, split_gelman_rubin
from torch import Tensor

from learnsym.distributions import midpoints
from learnsym.posterior.diagnostics import Diagnostics
from learnsym.posterior.draws import Draws
from learnsym.posterior.likelihood import DegreeLikelihood
from learnsym.posterior.prior import SpikedPrior, configurations, configured

CHAINS, WARM_UP, STEPS = 2, 200, 400
DEPTH = 6
"""Of the tree of a step: posteriors of few degrees need no long paths."""
PROBES = 64
"""Degrees at which each configuration is tried before the improbable ones are left out."""
LEAST = 1e-5
"""Weight of a configuration over that of the best, below which it is left out."""
MOST = 64
"""Configurations that are kept."""
MOST_DEGREES = 6
STILL = 1e-6
"""Spread of a degree, as a fraction of its cap, that is none."""


def by_nuts(likelihood: DegreeLikelihood, prior: SpikedPrior) -> Draws:
    """Draws of the slab of every degree, each with the posterior of the configurations of spikes.

        p(u | D) ∝ Σ_z p(z) L(s_z),    s_z = 0, quantile(u) or 1 by degree

    `u` are the quantiles of the slab, uniform before. A degree on a spike leaves its `u` free, so that chains move
    between configurations. Improbable configurations are left out at the start, by the mean likelihood of 64 degrees.

    References: Hoffman, Gelman, "The No-U-Turn sampler" (2014), arXiv 1111.4246; free quantiles: Carlin, Chib,
    "Bayesian model choice via Markov chain Monte Carlo methods" (1995).

    Raises:
        ValueError: for more than 6 degrees.
    """
    count = len(likelihood.axes)
    if count > MOST_DEGREES:
        raise ValueError(f"method: got 'nuts' for {count} degrees, must be for at most {MOST_DEGREES}; take 'svi'")
    z, log_prior = _probable(likelihood, prior)

    def log_joint(u: Float[Tensor, "*R A"]) -> Float[Tensor, "*R Z"]:
        s = configured(prior.slab_quantile(u)[..., None, :].expand(*u.shape[:-1], *z.shape), z)
        return log_prior + likelihood(s).sum(-1)

    def model() -> None:
        u = pyro.sample("u", Uniform(torch.zeros(count).double(), torch.ones(count).double()).to_event(1))
        pyro.factor("held_out", log_joint(u).logsumexp(-1))

    chains, divergent = zip(*(_chain(model) for _ in range(CHAINS)), strict=True)
    u = torch.stack(chains)
    return _draws(u, torch.cat([log_joint(part) for part in u.flatten(0, 1).split(PROBES)]), z, prior, divergent)


def _chain(model: Callable[[], None]) -> tuple[Tensor, int]:
    sampler = MCMC(NUTS(model, max_tree_depth=DEPTH), num_samples=STEPS, warmup_steps=WARM_UP, disable_progbar=True)
    sampler.run()
    return sampler.get_samples()["u"], sum(map(len, sampler.diagnostics()["divergences"].values()))


def _draws(u: Tensor, log_joint: Tensor, z: Tensor, prior: SpikedPrior, divergent: tuple[int, ...]) -> Draws:
    """Each draw with all of its configurations."""
    shares = log_joint.softmax(-1)
    flat = u.flatten(0, 1)
    s = configured(prior.slab_quantile(flat)[:, None].expand(-1, *z.shape), z)
    expected = (shares[..., None] * s).sum(1).unflatten(0, u.shape[:2])
    diagnostics = Diagnostics(
        method="NUTS",
        effective=_effective(expected),
        r_hat=_r_hat(expected),
        divergences=sum(divergent) / len(flat),
    )
    return Draws(s=s.flatten(0, 1), weights=shares.flatten() / len(flat), diagnostics=diagnostics)


def _r_hat(chains: Float[Tensor, "C R A"]) -> float:
    """The largest over degrees; 1 for degrees that do not move."""
    moving = chains.flatten(0, 1).std(0) > STILL
    return float(split_gelman_rubin(chains[..., moving]).max()) if bool(moving.any()) else 1.0


def _effective(chains: Float[Tensor, "C R A"]) -> float:
    moving = chains.flatten(0, 1).std(0) > STILL
    most = float(chains.shape[0] * chains.shape[1])
    return min(most, float(effective_sample_size(chains[..., moving]).min())) if bool(moving.any()) else most


@torch.no_grad()
def _probable(likelihood: DegreeLikelihood, prior: SpikedPrior) -> tuple[Int[Tensor, "Z A"], Float[Tensor, "Z"]]:
    """The configurations whose marginal likelihood, as a rough average over the slab, is not far below the best."""
    z, log_prior = configurations(prior)
    u = midpoints(PROBES, z.shape[1]).double()
    s = prior.slab_quantile(u)
    marginal = torch.stack([likelihood(configured(s, each.expand_as(s))).sum(-1).logsumexp(0) for each in z])
    score = log_prior.double() + marginal
    kept = score.topk(min(MOST, len(z))).indices
    kept = kept[score[kept] > score.max() + torch.tensor(LEAST).log()]
    return z[kept], log_prior[kept].double()
