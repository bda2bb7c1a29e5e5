"""The normal distribution on the Lie algebra, wrapped onto the group."""

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

WINDINGS = 16
NODES = 2049


class WrappedNormal(GroupDistribution):
    """The centred normal distribution on the Lie algebra, moved to the group by the exponential.

        g = exp(sum_i a_i G_i),    a_i ~ N(0, s_i^2)

    The density is the sum over all coordinates of an element, up to 16 whole turns: on SO(2) the wrapped normal,
    `sum_k N(a + 2 pi k; 0, s^2)`. On groups of rotations of space it has an integrable peak at the identity, to which
    every direction returns after a whole turn.

    Args:
        group: a group with a Lie algebra of dimension `D`.
        scale: standard deviations `s`, shape `(*B, D)` or `(D,)`, in coordinates of the algebra, positive.
        validate_args: False skips the checks of values.

    Raises:
        ValueError: for a group without Lie algebra, a wrong shape, or scales that are not positive.

    Example:
        >>> law = ls.distributions.WrappedNormal(ls.groups.SO2(), torch.tensor([0.3]))
        >>> law.rsample((5,)).shape
        torch.Size([5, 2, 2])
    """

    def __init__(self, group: Group, scale: Float[Tensor, "*B D"], validate_args: bool | None = None) -> None:
        require_lie(group, "WrappedNormal")
        self.scale = checked(group, "scale", scale, validate_args, positive=True)
        super().__init__(group, scale.shape[:-1])

    @property
    def uniforms(self) -> int:
        return self.group.dim

    @property
    def is_circular(self) -> bool:
        """Whether the windings are summed: a compact group of one generator."""
        return self.group.dim == 1 and self.group.is_compact

    def coordinates_from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S D"]:
        """The coordinates `a = s * Phi^{-1}(u)` of the elements `from_uniform(u)`."""
        eps = torch.finfo(u.dtype).eps
        return self.scale * torch.special.ndtri(u.clamp(eps, 1 - eps))

    def from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S n n"]:
        return self.group.exp(self.coordinates_from_uniform(u))

    def tensors(self) -> dict[str, Tensor]:
        return {"scale": self.scale}

    def replace(self, tensors: Mapping[str, Tensor]) -> WrappedNormal:
        return WrappedNormal(self.group, tensors["scale"], validate_args=False)

    def log_prob(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"]:
        """Log density in exponential coordinates; `-inf` outside the identity component."""
        a, is_element = coordinates(self.group, value)
        return torch.where(is_element, folded(self.group, a, self._log_density, WINDINGS), -math.inf)

    def _log_density(self, a: Float[Tensor, "*#S d"], first: int) -> Float[Tensor, "*#S"]:
        return _log_normal(a, self.scale[..., None, first : first + a.shape[-1]]).sum(-1)

    def entropy(self) -> Float[Tensor, "*B"]:
        """The entropy in exponential coordinates: of the normal, less what wraps around.

        By quadrature on circles and by 4,096 quasi-random elements on other groups with rotations.
        """
        normal = (self.scale.log() + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
        if rotations(self.group) == 0:
            return normal
        if not self.is_circular:
            a = spread(self)
            wrapped = folded(self.group, a, self._log_density, WINDINGS)
            return normal - (wrapped - self._log_density(a.unsqueeze(-2), 0).squeeze(-1)).mean(0)
        half = (10 * self.scale).clamp(max=self.group.generators[0].cap)  # (*B, 1)
        a = half * torch.linspace(-1, 1, NODES, dtype=half.dtype, device=half.device)  # (*B, NODES)
        scale = self.scale.unsqueeze(-1)
        circle = WrappedNormal(self.group, scale, validate_args=False)
        log_density = folded(self.group, a.unsqueeze(-1), circle._log_density, WINDINGS)
        return torch.trapezoid(-log_density.exp() * log_density, a, dim=-1)

    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """`-entropy - E log(Haar density)`."""
        require_compact(self.group)
        return divergence_to_haar(self)

    def widths(self) -> Float[Tensor, "*B D"]:
        """The full widths `2 sqrt(3) s` of the uniform law with the same standard deviation."""
        return 2 * math.sqrt(3) * self.scale

    def degrees(self, site: str, method: str) -> list[Degree]:
        """Half-widths `sqrt(3) s` of the uniform law with the same standard deviation, no more than the caps."""
        caps = torch.tensor([g.cap for g in self.group.generators], dtype=self.scale.dtype, device=self.scale.device)
        return range_degrees(self.group, (self.widths() / 2).minimum(caps), site, method)


def _log_normal(a: Tensor, scale: Tensor) -> Tensor:
    return -0.5 * (a / scale).square() - scale.log() - 0.5 * math.log(2 * math.pi)
