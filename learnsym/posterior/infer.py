"""From a likelihood, or a network with held-out examples, to a posterior over degrees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from learnsym.augment import Augmented
from learnsym.posterior.copies import table_of
from learnsym.posterior.data import held_out
from learnsym.posterior.degree_posterior import DegreePosterior
from learnsym.posterior.draws import Draws
from learnsym.posterior.likelihood import MOST, DegreeLikelihood, HeldOutLikelihood, held_out_likelihood
from learnsym.posterior.nuts import by_nuts
from learnsym.posterior.of_outputs import LogLikelihood
from learnsym.posterior.prior import SpikedPrior
from learnsym.posterior.quadrature import by_quadrature
from learnsym.posterior.variational import by_svi
from learnsym.statistics import LEVEL
from learnsym.symmetry import SymmetryLike, as_symmetry

WAYS = {"quadrature": by_quadrature, "nuts": by_nuts, "svi": by_svi}
ROUNDS = 2
"""How often copies are added where the posterior turned out to be."""
WORST = 0.05
"""Share of the draws that may rest on fewer effective copies than is said."""


def posterior_of(
    likelihood: DegreeLikelihood,
    *,
    prior: SpikedPrior | None = None,
    way: str | None = None,
    group: str = "",
    level: float = LEVEL,
    seed: int = 0,
) -> DegreePosterior:
    """The posterior over degrees for any likelihood of them.

    Args:
        likelihood: with `axes`, one a degree, and a call from fractions of the caps `(*T, A)` to the log likelihood of
            each example `(*T, N)`, differentiable.
        prior: over the fractions, of one degree or of all alike; by default 0.25 each for none and full.
        way: `quadrature` for one degree, `nuts` for up to 6, `svi` for any number. By default quadrature for one, and
            for more svi, which is as exact as nuts by its weights and takes a tenth of the time.
        group: name of the group, for the degrees.
        level: of the intervals, above a half.
        seed: of the draws; the caller's random state is left alone.

    Raises:
        ValueError: for a way that does not work for so many degrees, a prior of another number, or a level.
    """
    count = len(likelihood.axes)
    prior = _expanded(SpikedPrior() if prior is None else prior, count)
    _check(way, level)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        draws: Draws = WAYS[way or ("quadrature" if count == 1 else "svi")](likelihood, prior)
    return DegreePosterior(
        group=group,
        axes=tuple(likelihood.axes),
        draws=draws.s,
        weights=draws.weights,
        examples=likelihood(torch.zeros(count, dtype=torch.float64)).shape[-1],
        diagnostics=draws.diagnostics,
        level=level,
    )


def degree_posterior(
    model: nn.Module,
    data: Any,  # noqa: ANN401  a Dataset, or inputs and targets
    symmetry: SymmetryLike | None = None,
    *,
    likelihood: LogLikelihood | None = None,
    prior: SpikedPrior | None = None,
    way: str | None = None,
    copies: int = MOST,
    level: float = LEVEL,
    seed: int = 0,
) -> DegreePosterior:
    """How much of each generator a trained network should be averaged over, by held-out examples.

    Every example is moved by a fixed set of elements and the network asked once for each; see `HeldOutLikelihood` for
    the likelihood that follows for any degrees. For three degrees and more, copies are added twice where the posterior
    turned out to be; averages that rest on fewer than 8 effective copies make the degrees `rejected`.

    The interval is that of the best averaging for this network as it is. It holds the noise of the held-out examples,
    not that of training; see `degrees_over_seeds` for that.

    Args:
        model: any network, or an `Augmented`, whose network and symmetry are taken.
        data: a `Dataset`, or a pair of inputs and targets, that the network was not trained on; at least 20 examples.
        symmetry: of inputs and outputs, or its name; that of an `Augmented` when None.
        likelihood: from outputs and targets to the log likelihood of each example `(B,)`; by default that of classes
            for integer targets and a normal law for others.
        prior, way, level, seed: as of `posterior_of`.
        copies: of an example at most, at first; all laws of one or two generators take at most 441.

    Raises:
        ValueError: for too few examples, no targets, no symmetry, a generator without a cap, or as `posterior_of`.

    Example:
        >>> x = torch.randn(60, 1, 8, 8)
        >>> net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
        >>> posterior = ls.posterior.degree_posterior(net, (x, torch.randint(2, (60,))), "flip2d")
        >>> [degree.generator for degree in ls.degrees(posterior)]
        ['other elements']
        >>> sum(posterior.none().values()) > 0.1
        True
    """
    _check(way, level)
    net, asked = _asked(model, symmetry)
    x, y = held_out(data, net)
    symmetry = as_symmetry(asked)
    found = held_out_likelihood(net, x, y, symmetry, likelihood=likelihood, prior=prior, copies=copies, seed=seed)
    for _ in range(0 if found.copies.is_complete else ROUNDS):
        rough = posterior_of(found, prior=prior, way="svi", seed=seed)
        found = found.refined(table_of(found.axes, rough.draws, rough.weights), max(copies // 2, 1), seed)
    posterior = posterior_of(found, prior=prior, way=way, group=symmetry.name, level=level, seed=seed)
    return _with_copies(posterior, found)


def _with_copies(posterior: DegreePosterior, found: HeldOutLikelihood) -> DegreePosterior:
    """With how many effective copies averages rest on."""
    if found.copies.is_complete:
        return posterior
    kept = torch.multinomial(posterior.weights, 400, replacement=True, generator=torch.Generator().manual_seed(0))
    effective = float(found.copies.effective(posterior.draws[kept]).quantile(WORST))
    return replace(posterior, diagnostics=posterior.diagnostics.on_copies(effective))


def _expanded(prior: SpikedPrior, count: int) -> SpikedPrior:
    if prior.batch_shape not in ((), (1,), (count,)):
        raise ValueError(f"prior: is of {len(prior.none)} degrees, must be of {count}, or of one for all alike")
    return prior.expand((count,))


def _check(way: str | None, level: float) -> None:
    if way is not None and way not in WAYS:
        raise ValueError(f"way: got {way!r}, must be one of {', '.join(WAYS)}; leave it out for the usual one")
    if not 0.5 < level < 1:
        raise ValueError(f"level: got {level}, must be above 0.5 and below 1; 0.9 is usual")


def _asked(model: nn.Module, symmetry: SymmetryLike | None) -> tuple[nn.Module, SymmetryLike]:
    """The network alone and the symmetry that it is asked about."""
    if isinstance(model, Augmented):
        return model.net, model.symmetry if symmetry is None else symmetry
    if symmetry is None:
        raise ValueError("symmetry: got None for a network that names none; give one, such as 'rotation2d'")
    return model, symmetry
