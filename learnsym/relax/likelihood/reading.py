"""What is read off a likelihood: how much of a group it covers, as degrees, and its probabilities of finite subgroups.

Legend of axes: `S` draws of the coefficients, `K` elements of a quadrature, `C` cells.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.groups import Group
from learnsym.relax.likelihood.likelihood import Likelihood
from learnsym.statistics import LEVEL

METHOD = "probabilistic steerable convolution"
DRAWS = 200
TIE = 1e-6

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
        status="no interval" if low is None else "ok",
        reason=ONE_TRAINING if low is None else "",
    )


def covered(log_density: Float[Tensor, "*S K"], weights: Tensor, _: Tensor) -> Float[Tensor, "*S"]:
    """`exp(-KL(λ | uniform))`."""
    return (-(weights * log_density.exp() * log_density).sum(-1)).exp()


def _rotations(log_density: Tensor, weights: Tensor, determinants: Tensor) -> Tensor:
    rotations = determinants > 0
    share = weights[rotations] / weights[rotations].sum()
    conditional = log_density[..., rotations]
    conditional = conditional - torch.logsumexp(conditional + share.log(), -1, keepdim=True)
    return covered(conditional, share, determinants)


def _reflections(log_density: Tensor, weights: Tensor, determinants: Tensor) -> Tensor:
    mass = (weights * log_density.exp() * (determinants < 0)).sum(-1)
    return (2 * mass).clamp(max=1.0)


def cell_masses(likelihood: Likelihood, cells: Group) -> Float[Tensor, "C"]:
    """The probability that the nearest element of a finite subgroup is each of its elements.

    With it a smooth density over a Lie group can be compared with one on points, such as quarter turns. Elements
    half-way between cells count for both in equal parts.

    Raises:
        ValueError: when `cells` is not finite or no subgroup.

    Example:
        >>> ls.relax.cell_masses(ls.relax.Likelihood(ls.groups.SO2()), ls.groups.Cyclic(4)).detach()
        tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    _check(likelihood.group, cells)
    return likelihood.masses() @ _shares(likelihood.elements(), cells).to(likelihood.weights())


def planted_masses(subgroup: Group, cells: Group) -> Float[Tensor, "C"]:
    """The same probabilities for the uniform density of a subgroup of the group: of C_4 in the cells of D_8, say.

    Example:
        >>> ls.relax.planted_masses(ls.groups.Cyclic(2), ls.groups.Cyclic(4))
        tensor([0.5000, 0.0000, 0.5000, 0.0000], dtype=torch.float64)
    """
    members = subgroup if subgroup.order is not None else cells
    inside = members.components[subgroup.contains(members.components)]
    return _shares(inside.double(), cells).mean(0)


def _shares(elements: Float[Tensor, "K n n"], cells: Group) -> Float[Tensor, "K C"]:
    distances = torch.cdist(elements.double().flatten(1), cells.components.double().flatten(1))
    nearest = (distances <= distances.amin(1, keepdim=True) + TIE).double()
    return nearest / nearest.sum(1, keepdim=True)


def _check(group: Group, cells: Group) -> None:
    if cells.order is None or cells.n != group.n or not bool(group.contains(cells.components).all()):
        raise ValueError(f"cells: got {cells}, must be a finite subgroup of {group}, such as C_8 of SO(2)")
