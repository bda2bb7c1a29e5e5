"""The Haar measure as a distribution: full symmetry.

Legend of axes: `*S` sample shape (`*#S`: broadcasts), `*B` batch shape, `K` components, `n` matrix size, `Q` uniform
numbers an element needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._constant import constant
from learnsym.degrees import Degree
from learnsym.distributions._coordinates import POINTS, coordinates, require_compact
from learnsym.distributions._distribution import GroupDistribution, range_degrees
from learnsym.distributions._elements import probability_degrees
from learnsym.distributions._precision import at_least_float32
from learnsym.distributions.product import block_diagonal, blocks, factors
from learnsym.distributions.sobol import midpoints
from learnsym.groups import Group
from learnsym.groups._finite import Permutations
from learnsym.groups._young import ClassPermutations

PERMUTATIONS = (Permutations, ClassPermutations)
"""Formulas of groups that take numbers to the permutation that sorts them."""


class Haar(GroupDistribution):
    """The normalised Haar measure of a compact group: the uniform distribution on its elements.

    Args:
        group: a compact group.
        batch_shape: independent copies of the same law.
        dtype: of the draws.
        device: of the draws.

    Raises:
        ValueError: when the group is not compact.

    Example:
        >>> ls.distributions.Haar(ls.groups.SO3()).rsample((2,)).shape
        torch.Size([2, 3, 3])
    """

    def __init__(
        self,
        group: Group,
        batch_shape: torch.Size | tuple[int, ...] = (),
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        *,
        anchor: Tensor | None = None,
    ) -> None:
        require_compact(group)
        # an empty law has no parameter that tells dtype, device and batch shape: this tensor does
        anchor = torch.zeros(tuple(batch_shape), dtype=dtype, device=device) if anchor is None else anchor
        self.anchor = at_least_float32(anchor)
        super().__init__(group, self.anchor.shape)

    @property
    def uniforms(self) -> int:
        return _uniforms(self.group)

    def from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S n n"]:
        """Elements that are Haar distributed for uniform `u`; ValueError where no such map is known."""
        shape = torch.broadcast_shapes(u.shape[:-1], self.batch_shape)
        return _from_uniform(self.group, u.expand(*shape, -1))

    def rsample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Float[Tensor, "*#S n n"]:
        """Draws by the group's own method."""
        shape = (*sample_shape, *self.batch_shape)
        return self.group.haar(*shape, dtype=self.anchor.dtype, device=self.anchor.device)

    def tensors(self) -> dict[str, Tensor]:
        return {"anchor": self.anchor}

    def replace(self, tensors: Mapping[str, Tensor]) -> Haar:
        return Haar(self.group, anchor=tensors["anchor"])

    def log_prob(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"]:
        """Log density: counting measure on a finite group, exponential coordinates of each component elsewhere."""
        shape = torch.broadcast_shapes(value.shape[:-2], self.batch_shape)
        return _log_prob(self.group, value).expand(shape)

    def entropy(self) -> Float[Tensor, "*B"]:
        """`log K` on a finite group, else the entropy in exponential coordinates (4,096 quasi-random points)."""
        if self.group.order is not None:
            return torch.full_like(self.anchor, math.log(self.group.order))
        if self.group.dim == 1:
            volume = 2 * self.group.generators[0].cap * len(self.group.components)
            return torch.full_like(self.anchor, math.log(volume))
        u = midpoints(POINTS, self.uniforms).to(self.anchor)
        return -_log_prob(self.group, _from_uniform(self.group, u)).mean().expand(self.batch_shape)

    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """0."""
        return torch.zeros_like(self.anchor)

    def widths(self) -> Float[Tensor, "*B P"]:
        """Twice the caps, or the equal probabilities of the elements but the identity."""
        if self.group.dim:
            return 2 * self._caps().expand(*self.batch_shape, -1)
        return self._probabilities()[..., 1:]

    def degrees(self, site: str, method: str) -> list[Degree]:
        ranges = range_degrees(self.group, self._caps(), site, method) if self.group.dim else []
        return ranges + probability_degrees(self.group, self._probabilities(), site, method)

    def _caps(self) -> Tensor:
        return torch.tensor([g.cap for g in self.group.generators], dtype=self.anchor.dtype, device=self.anchor.device)

    def _probabilities(self) -> Float[Tensor, "*B K"]:
        # of all elements, also when a large group lists a few only
        count = self.group.order or len(self.group.components)
        listed = len(self.group.components)
        return torch.full((*self.batch_shape, listed), 1 / count, dtype=self.anchor.dtype, device=self.anchor.device)


def _kind(group: Group) -> str:
    if factors(group):
        return "product"
    if isinstance(getattr(group, "formulas", None), PERMUTATIONS):
        return "permutation"
    if group.order is not None:
        return "finite"
    if group.dim == 1:
        return "circle"
    if group.dim == 3 and group.space == "space":
        return "rotation"
    raise ValueError(f"group: no map from uniform numbers to the Haar measure of {group.name} is known; use rsample")


def _uniforms(group: Group) -> int:
    kind = _kind(group)
    if kind == "product":
        return sum(_uniforms(factor) for factor in factors(group))
    return {"permutation": group.n, "finite": 1, "circle": 2, "rotation": 4}[kind]


def _from_uniform(group: Group, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S n n"]:
    kind = _kind(group)
    if kind == "product":
        parts = u.split([_uniforms(factor) for factor in factors(group)], -1)
        return block_diagonal([_from_uniform(f, part) for f, part in zip(factors(group), parts, strict=True)])
    if kind == "permutation":
        return group.formulas.sorting(u)  # type: ignore[attr-defined]
    components = constant(group.components, u)
    k = (u[..., -1] * len(components)).long().clamp(max=len(components) - 1)
    if kind == "finite":
        return components[k]
    if kind == "circle":
        return components[k] @ group.exp(group.generators[0].cap * (2 * u[..., :1] - 1))
    return components[k] @ _rotation(u[..., :3])


def _rotation(u: Float[Tensor, "*#S 3"]) -> Float[Tensor, "*#S 3 3"]:
    """Uniform rotations through uniform unit quaternions (Shoemake 1992, "Uniform random rotations")."""
    r, s = (1 - u[..., 0]).sqrt(), u[..., 0].sqrt()
    alpha, beta = 2 * math.pi * u[..., 1], 2 * math.pi * u[..., 2]
    x, y, z, w = r * alpha.sin(), r * alpha.cos(), s * beta.sin(), s * beta.cos()
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def _log_prob(group: Group, value: Tensor) -> Tensor:
    if factors(group):
        parts = [_log_prob(f, b) for f, b in zip(factors(group), blocks(group, value), strict=True)]
        return torch.stack(parts).sum(0)
    if group.order is not None:
        is_element = group.contains(value, atol=torch.finfo(value.dtype).eps ** 0.5)
        return torch.where(is_element, value.new_full((), -math.log(group.order)), -math.inf)
    components = group.components.to(value)
    a, is_element = coordinates(group, group.inverse(components) @ value.unsqueeze(-3))  # (*S, K, D)
    log_density = torch.where(is_element, group.log_haar(a), -math.inf).amax(-1)
    return log_density - math.log(len(components))
