"""What the distributions on exponential coordinates share."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions._precision import at_least_float32
from learnsym.distributions.sobol import midpoints
from learnsym.groups import Group

POINTS = 1024


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
    value = at_least_float32(value)
    if validate_args is False:
        return value
    if not bool(((value > 0) if positive else (value >= 0)).all() & value.isfinite().all()):
        bound = "> 0" if positive else ">= 0"
        raise ValueError(f"{name}: got {value.tolist()}, must be finite and {bound}; give one number per generator")
    caps = torch.tensor([generator.cap for generator in group.generators], dtype=value.dtype, device=value.device)
    if not positive and group.is_compact and bool((value > caps * (1 + 1e-5)).any()):
        raise ValueError(
            f"{name}: got {value.tolist()}, must be <= {caps.tolist()} on {group.name}; the orbit closes there"
        )
    return value


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


def mean_log_haar(distribution: HasCoordinates) -> Tensor:
    """`E log(Haar density)` of the whole group in exponential coordinates, shape `*B`, differentiable."""
    group, like = distribution.group, distribution.reference
    u = midpoints(POINTS, group.dim).to(like).reshape(POINTS, *[1] * len(distribution.batch_shape), group.dim)
    # log_haar is normalised on the identity component, which has 1/K of the mass of the group
    return group.log_haar(distribution.coordinates_from_uniform(u)).mean(0) - math.log(len(group.components))
