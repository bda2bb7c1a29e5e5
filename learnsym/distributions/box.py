"""The uniform distribution on a box of the Lie algebra."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree
from learnsym.distributions._coordinates import (
    checked,
    coordinates,
    divergence_to_haar,
    folded,
    require_compact,
    require_lie,
    rotations,
    spread,
)
from learnsym.distributions._distribution import GroupDistribution, range_degrees
from learnsym.groups import Group

TURNS = 2  # no corner of a box within its caps is farther from the identity than two turns


class LieBox(GroupDistribution):
    """The uniform distribution on a centred box of the Lie algebra, moved to the group by the exponential.

        g = exp(sum_i a_i G_i),    a_i ~ U[-h_i, h_i]

    A wide box of rotations of space meets itself: its corners lie more than half a turn away, and `(2π - θ)` about
    `-n` is `θ` about `n`. The density then is the sum over both.

    Only the identity component is reached; `ComponentMixture` adds the others. A generator with `h_i = 0` is absent: it
    leaves the density and the entropy, and elements that move along it have log density `-inf`.

    Reference: Benton, Finzi, Izmailov, Wilson, "Learning invariances in neural networks" (2020), arXiv 2010.11882,
    whose width is `2 h`.

    Args:
        group: a group with a Lie algebra of dimension `D`.
        half_width: `h`, shape `(*B, D)` or `(D,)`, in coordinates of the algebra, not negative; of a
            rotation no more than half a turn, where its orbit closes.
        validate_args: False skips the checks of values (needed under `torch.compile` and without a GPU sync).

    Raises:
        ValueError: for a group without Lie algebra, a wrong shape, or half-widths out of range.

    Example:
        >>> box = ls.distributions.LieBox(ls.groups.SO2(), torch.tensor([0.5]))
        >>> box.rsample((3,)).shape
        torch.Size([3, 2, 2])
        >>> box.entropy()
        tensor(0.)
    """

    def __init__(self, group: Group, half_width: Float[Tensor, "*B D"], validate_args: bool | None = None) -> None:
        require_lie(group, "LieBox")
        self.half_width = checked(group, "half_width", half_width, validate_args, positive=False)
        super().__init__(group, half_width.shape[:-1])

    @property
    def uniforms(self) -> int:
        return self.group.dim

    def from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S n n"]:
        return self.group.exp(self.coordinates_from_uniform(u))

    def tensors(self) -> dict[str, Tensor]:
        return {"half_width": self.half_width}

    def replace(self, tensors: Mapping[str, Tensor]) -> LieBox:
        return LieBox(self.group, tensors["half_width"], validate_args=False)

    def log_prob(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"]:
        """Log density in exponential coordinates: `-sum_i log 2 h_i` where the box covers once, `-inf` outside."""
        a, is_element = coordinates(self.group, value)
        return torch.where(is_element, folded(self.group, a, self._log_density, TURNS), -math.inf)

    def entropy(self) -> Float[Tensor, "*B"]:
        """`sum_i log 2 h_i` over the generators that are present, less by what is covered twice.

        The latter is an average over 4,096 quasi-random elements, whose gradient holds the border of the box fixed.
        """
        if rotations(self.group) < 2:
            return self._log_volume().sum(-1)
        return -folded(self.group, spread(self), self._log_density, TURNS).mean(0)

    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """`-entropy - E log(Haar density)`; infinite where a generator is absent.

        The expectation is exact on SO(2) and O(2) and an average over 4,096 quasi-random elements elsewhere.
        """
        require_compact(self.group)
        return torch.where((self.half_width > 0).all(-1), divergence_to_haar(self), math.inf)

    def _log_density(self, a: Float[Tensor, "*#S d"], first: int) -> Float[Tensor, "*#S"]:
        columns = slice(first, first + a.shape[-1])
        tolerance = torch.finfo(a.dtype).eps ** 0.5
        inside = (a.abs() <= self.half_width[..., None, columns] + tolerance).all(-1)
        return torch.where(inside, -self._log_volume()[..., None, columns].sum(-1), -math.inf)

    def _log_volume(self) -> Float[Tensor, "*B D"]:
        """`log 2 h_i`, 0 where the generator is absent."""
        present = self.half_width > 0
        # the inner where keeps the gradient finite at h = 0
        return torch.where(present, (2 * torch.where(present, self.half_width, 1.0)).log(), 0.0)

    def coordinates_from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S D"]:
        """The coordinates `a = h (2u - 1)` of the elements `from_uniform(u)`."""
        return self.half_width * (2 * u - 1)

    def widths(self) -> Float[Tensor, "*B D"]:
        """The full widths `2 h`."""
        return 2 * self.half_width

    def degrees(self, site: str, method: str) -> list[Degree]:
        return range_degrees(self.group, self.half_width, site, method)
