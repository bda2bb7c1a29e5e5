"""How much of a group a likelihood covers, as degrees.

Legend of axes: `S` draws of the coefficients, `K` elements of a quadrature.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree
from learnsym.relax.likelihood.likelihood import Likelihood
from learnsym.statistics import LEVEL

METHOD = "probabilistic steerable convolution"
DRAWS = 200

Coverage = Callable[[Tensor, Tensor, Tensor], Tensor]


def coverage_degrees(likelihood: Likelihood, site: str) -> list[Degree]:
    """The fraction of the group that is covered, of its rotations, and of its reflections.

        group:        exp(-KL(λ | uniform)), 1 for the whole group and 1/|G| for one element of a finite one
        rotations:    the same for λ given that g is a rotation; only where there are reflections too
        reflections:  2 P(g is a reflection), at most 1

    With a posterior over the coefficients, the interval is that of its draws.
    """
    kinds: dict[str, Coverage] = {"all": covered}
    determinants = torch.linalg.det(likelihood.elements())
    if bool((determinants < 0).any()):
        kinds |= {"rotations": _rotations, "reflections": _reflections}
    with torch.no_grad():
        point, draws = likelihood.log_density(), likelihood.coefficients.draws(DRAWS)  # type: ignore[operator]
        spread = None if draws is None else likelihood.log_density(draws)
    return [_degree(likelihood, site, name, kind, determinants, point, spread) for name, kind in kinds.items()]


def _degree(
    likelihood: Likelihood,
    site: str,
    name: str,
    kind: Coverage,
    determinants: Tensor,
    point: Tensor,
    spread: Tensor | None,
) -> Degree:
    weights = likelihood.weights()
    low = high = None
    estimate = kind(point, weights, determinants)
    if spread is not None:
        ends = torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2]).to(weights)
        low, high = kind(spread, weights, determinants).quantile(ends).tolist()
    return Degree(
        site=site,
        group=likelihood.group.name,
        generator=name,
        unit="1",
        notion="task",
        estimate=float(estimate),
        low=low,
        high=high,
        level=LEVEL,
        method=METHOD,
    )


def covered(log_density: Float[Tensor, "*S K"], weights: Tensor, _: Tensor) -> Float[Tensor, "*S"]:
    """`exp(-KL(λ | uniform))`."""
    return (-(weights * log_density.exp() * log_density).sum(-1)).exp()


def _rotations(log_density: Tensor, weights: Tensor, determinants: Tensor) -> Tensor:
    kept = determinants > 0
    share = weights[kept] / weights[kept].sum()
    conditional = log_density[..., kept]
    conditional = conditional - torch.logsumexp(conditional + share.log(), -1, keepdim=True)
    return covered(conditional, share, determinants)


def _reflections(log_density: Tensor, weights: Tensor, determinants: Tensor) -> Tensor:
    mass = (weights * log_density.exp() * (determinants < 0)).sum(-1)
    return (2 * mass).clamp(max=1.0)
