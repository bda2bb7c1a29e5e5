"""What the distributions on exponential coordinates share."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions._precision import at_least_float32
from learnsym.distributions.product import factors
from learnsym.distributions.sobol import midpoints
from learnsym.groups import Group

POINTS = 4096


def require_lie(group: Group, name: str) -> None:
    """ValueError for a group without a Lie algebra."""
    if group.dim == 0:
        raise ValueError(f"group: {group.name} has no Lie algebra, which {name} needs; use GroupCategorical")


def require_compact(group: Group) -> None:
    """ValueError for a group without a normalised Haar measure."""
    if not group.is_compact:
        raise ValueError(
            f"group: {group.name} is not compact and has no normalised Haar measure; compare entropies instead"
        )


def checked(
    group: Group, name: str, value: Float[Tensor, "*B D"], validate_args: bool | None, *, positive: bool
) -> Float[Tensor, "*B D"]:
    """The parameter, at least in float32, after checks of shape and (unless `validate_args` is False) values."""
    if value.dim() < 1 or value.shape[-1] != group.dim:
        raise ValueError(f"{name}: got shape {tuple(value.shape)}, must end in D = {group.dim} for {group.name}")
    if not value.is_floating_point():
        raise ValueError(f"{name}: got {value.dtype}, must be floating point; convert with {name}.float()")
    value = at_least_float32(value)
    if validate_args is False:
        return value
    if not bool(((value > 0) if positive else (value >= 0)).all() & value.isfinite().all()):
        bound = "> 0" if positive else ">= 0"
        raise ValueError(f"{name}: got {value.tolist()}, must be finite and {bound}; give one number per generator")
    caps = torch.tensor(closing_caps(group), dtype=value.dtype, device=value.device)
    if not positive and bool((value > caps * (1 + 1e-5)).any()):
        raise ValueError(
            f"{name}: got {value.tolist()}, must be <= {caps.tolist()} on {group.name}; an orbit closes at its cap"
        )
    return value


def closing_caps(group: Group) -> list[float]:
    """The caps of the generators whose orbits close there, which all rotations do; infinity for the others."""
    return [generator.cap if generator.unit == "degree" else math.inf for generator in group.generators]


def rotations(group: Group) -> int:
    """The largest number of rotations among the generators of one factor."""
    parts = factors(group) or (group,)
    return max(sum(generator.unit == "degree" for generator in part.generators) for part in parts)


LogDensity = Callable[[Tensor, int], Tensor]
"""The log density `(*B, K)` of coordinates `(*B, K, d)` that begin at some place of the algebra."""


def folded(
    group: Group, a: Float[Tensor, "*#S D"], log_density: LogDensity, turns: int, first: int = 0
) -> Float[Tensor, "*#S"]:
    """Log density at `exp(a)`: the sum over all coordinates that stand for that element, within so many turns.

    With respect to Lebesgue measure on the principal coordinates, those that wind least. The factors of a product wind
    independently, and their densities multiply.
    """
    if parts := factors(group):
        ends = list(accumulate(part.dim for part in parts))
        pieces = zip(parts, ends, strict=True)
        moved = [folded(p, a[..., end - p.dim : end], log_density, turns, first + end - p.dim) for p, end in pieces]
        return torch.stack(moved).sum(0)
    windings, log_volume = group.windings(a, turns)
    total = (log_density(windings, first) + log_volume).logsumexp(-1)
    # log_volume is relative to `a`; to be relative to the principal coordinates, the smallest is taken off
    return total - torch.where(log_volume > -math.inf, log_volume, math.inf).amin(-1)


def coordinates(group: Group, value: Float[Tensor, "*#S n n"]) -> tuple[Float[Tensor, "*#S D"], Tensor]:
    """Exponential coordinates of matrices, and whether each is an element of the identity component."""
    a = group.log(value)
    finite = a.isfinite().all(-1)
    a = torch.where(finite[..., None], a, 0.0)
    error = (group.exp(a.detach()) - value.detach()).abs().amax((-2, -1))
    scale = 1 + value.detach().abs().amax((-2, -1))
    return a, finite & (error <= torch.finfo(a.dtype).eps ** 0.4 * scale)


@runtime_checkable
class HasCoordinates(Protocol):
    """A distribution that maps uniform numbers to coordinates."""

    group: Group

    @property
    def batch_shape(self) -> torch.Size: ...
    @property
    def reference(self) -> Tensor: ...
    def coordinates_from_uniform(self, u: Tensor) -> Tensor: ...
    def entropy(self) -> Tensor: ...


def spread(distribution: HasCoordinates) -> Float[Tensor, "P *B D"]:
    """Coordinates that are spread evenly over a distribution: averages over it are averages over them."""
    dim = distribution.group.dim
    u = midpoints(POINTS, dim).to(distribution.reference)
    return distribution.coordinates_from_uniform(u.reshape(POINTS, *[1] * len(distribution.batch_shape), dim))


def divergence_to_haar(distribution: HasCoordinates) -> Tensor:
    """`-entropy - E log(Haar density)`, shape `*B`, both in principal coordinates; not negative, up to quadrature."""
    group = distribution.group
    principal = group.log(group.exp(spread(distribution)))
    # log_haar is normalised on the identity component, which has 1/K of the mass of the group
    mean_log_haar = group.log_haar(principal).mean(0) - math.log(len(group.components))
    return (-distribution.entropy() - mean_log_haar).clamp(min=0.0)
