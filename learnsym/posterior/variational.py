"""The posterior of many degrees by a variational guide, corrected by importance weights.

Legend of axes: `R` draws, `A` degrees.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import pyro
import torch
from jaxtyping import Float
from pyro.distributions import MultivariateNormal, Normal
from pyro.infer import Trace_ELBO
from pyro.infer.autoguide import AutoMultivariateNormal
from torch import Tensor
from torch.distributions import Distribution

from learnsym.posterior.diagnostics import Diagnostics
from learnsym.posterior.draws import Draws
from learnsym.posterior.likelihood import DegreeLikelihood
from learnsym.posterior.prior import SpikedPrior

STEPS, RATE, PARTICLES = 200, 0.08, 8
DRAWS, ADAPTATIONS = 2500, 3
"""Draws of each law; how often a law is fitted to the weighted draws so far."""
WIDER, SMALL = 1.2, 1e-3
FROM_PRIOR = 0.2
"""Share of the draws that come from the prior: no mode is then missed by far, and weights are bounded."""


def by_svi(likelihood: DegreeLikelihood, prior: SpikedPrior) -> Draws:
    """Draws of a correlated guide over normal scores, weighted by how much too rare or frequent they are in it.

        v ~ N(0, 1),    s = quantile(Φ(v)),    q(v) = N(m, L L^T)

    The quantile of the spiked prior is flat at both ends, so that the guide has point masses at none and full and a
    smooth law between them, all correlated across degrees. A guide is narrower than the posterior, so that draws get
    the weights `p(v) L(s) / q(v)`, `q` the mixture of all laws drawn from: the prior, the guide, and three normal laws
    with the moments of the weighted draws before them.

    References: Hoffman, Blei, Wang, Paisley, "Stochastic variational inference" (2013), arXiv 1206.7051;
    weights: Cornuet, Marin, Mira, Robert, "Adaptive multiple importance sampling" (2012), arXiv 0907.1254.
    """
    count = len(likelihood.axes)
    law = Normal(torch.zeros(count).double(), torch.ones(count).double()).to_event(1)

    def log_likelihood(v: Float[Tensor, "*R A"]) -> Float[Tensor, "*R"]:
        return likelihood(_degrees(prior, v)).sum(-1)

    def model() -> None:
        pyro.factor("held_out", log_likelihood(pyro.sample("v", law)))

    laws = [(FROM_PRIOR, law), (1 - FROM_PRIOR, _fitted(model, count))]
    with torch.no_grad():
        v, log_likelihoods = torch.empty(0, count).double(), torch.empty(0).double()
        for _ in range(1 + ADAPTATIONS):
            fresh = torch.cat([each.sample((int(share * DRAWS),)) for share, each in laws[-2:]])
            v, log_likelihoods = torch.cat([v, fresh]), torch.cat([log_likelihoods, log_likelihood(fresh)])
            weights = (law.log_prob(v) + log_likelihoods - _mixture(laws, v)).softmax(0)
            laws += [(FROM_PRIOR, law), (1 - FROM_PRIOR, _matched(v, weights))]
        effective = float(1 / weights.square().sum())
        return Draws(s=_degrees(prior, v), weights=weights, diagnostics=Diagnostics(method="SVI", effective=effective))


def _mixture(laws: list[tuple[float, Distribution]], v: Float[Tensor, "R A"]) -> Float[Tensor, "R"]:
    """The log density of all laws that draws came from, up to a constant."""
    return torch.stack([each.log_prob(v) + math.log(share) for share, each in laws]).logsumexp(0)


def _matched(v: Float[Tensor, "R A"], weights: Float[Tensor, "R"]) -> MultivariateNormal:
    """The normal law with the moments of weighted draws, a little wider."""
    mean = weights @ v
    rest = v - mean
    covariance = (weights[:, None] * rest).mT @ rest
    return MultivariateNormal(mean, WIDER * covariance + SMALL * torch.eye(len(mean)).double())


def _fitted(model: Callable[[], None], count: int) -> MultivariateNormal:
    """The normal law with the highest evidence lower bound."""
    with pyro.settings.context(module_local_params=True):
        guide = AutoMultivariateNormal(model, init_loc_fn=lambda site: torch.zeros(count).double(), init_scale=0.5)
        bound = Trace_ELBO(num_particles=PARTICLES, vectorize_particles=True, max_plate_nesting=0)(
            cast("Any", model), guide
        )
        bound()
        optimiser = torch.optim.Adam(bound.parameters(), lr=RATE)
        for _ in range(STEPS):
            optimiser.zero_grad()
            bound().backward()
            optimiser.step()
        found = guide.get_posterior()
    return MultivariateNormal(found.loc.detach(), scale_tril=found.scale_tril.detach())


def _degrees(prior: SpikedPrior, v: Float[Tensor, "*R A"]) -> Float[Tensor, "*R A"]:
    return prior.quantile(torch.special.ndtr(v))
