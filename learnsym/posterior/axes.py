"""Axes of a law over group elements: nodes along each generator, and how a degree weighs them.

Legend of axes: `*T` degrees, `M` nodes of an axis, `D` dimension of the algebra, `n` size of the matrices.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group

CROWDING = 1.5
"""Nodes lie at `(j / J)` to this power of the cap: closer together near the identity, where narrow laws differ."""
SMALLEST = 1e-9
"""Fractions below this are the identity, up to rounding."""


@dataclass(frozen=True, kw_only=True)
class Axis(abc.ABC):
    """One degree: a fraction `s` of its cap, from 0 (the identity alone) to 1, and the nodes that carry its law."""

    name: str
    unit: str
    cap: float
    """The degree of full symmetry, in `unit`."""

    @property
    @abc.abstractmethod
    def nodes(self) -> int:
        """`M`: how many there are."""

    @property
    @abc.abstractmethod
    def identity(self) -> int:
        """The node of the identity."""

    @abc.abstractmethod
    def weights(self, s: Float[Tensor, "*T"]) -> Float[Tensor, "*T M"]:
        """The law of a degree on the nodes: not negative, of sum 1, differentiable in `s`."""


@dataclass(frozen=True, kw_only=True)
class RangeAxis(Axis):
    """The half-width of a generator: `a ~ U[-s cap, s cap]`, on nodes between which functions are linear.

        w_k(s) = 1/(2 s) ∫_{-s}^{s} φ_k(a) da

    `φ_k` is the hat function of node `k`: 1 there, 0 at all others. Sums over nodes are exact for functions that are
    linear between them, and differentiable in `s`.
    """

    points: Float[Tensor, "M"]
    """Fractions of the cap, from -1 to 1, symmetric, 0 among them."""

    @staticmethod
    def of(name: str, unit: str, cap: float, nodes: int) -> RangeAxis:
        """An axis with an odd number of nodes."""
        half = (torch.arange(1, nodes // 2 + 1, dtype=torch.float64) / (nodes // 2)) ** CROWDING
        points = torch.cat([-half.flip(0), torch.zeros(1, dtype=torch.float64), half])
        return RangeAxis(name=name, unit=unit, cap=cap, points=points)

    @property
    def nodes(self) -> int:
        return len(self.points)

    @property
    def identity(self) -> int:
        return len(self.points) // 2

    def weights(self, s: Float[Tensor, "*T"]) -> Float[Tensor, "*T M"]:
        """`w_k(s)`."""
        t = s.double().clamp(min=SMALLEST)[..., None]
        half = self.points[self.identity :]
        integrals = _integrals(half, t)
        # node 0 has a hat on either side of it
        center, right = 2 * integrals[..., :1], integrals[..., 1:]
        return torch.cat([right.flip(-1), center, right], -1) / (2 * t)


@dataclass(frozen=True, kw_only=True)
class MixAxis(Axis):
    """How often an element of another component is drawn, such as a reflection: all components alike when `s = 1`.

    P(identity component) = 1 - s (C - 1) / C,    P(each other one) = s / C
    """

    count: int
    """`C`: components of the group, or elements of a finite one."""

    @property
    def nodes(self) -> int:
        return self.count

    @property
    def identity(self) -> int:
        return 0

    def weights(self, s: Float[Tensor, "*T"]) -> Float[Tensor, "*T M"]:
        """The probability of each component."""
        each = (s.double() / self.count)[..., None]
        return torch.cat([1 - (self.count - 1) * each, each.expand(*each.shape[:-1], self.count - 1)], -1)


def axes_of(group: Group, nodes: int) -> tuple[Axis, ...]:
    """An axis for each generator, with so many nodes (odd), and one for other components where there are any.

    Raises:
        ValueError: for a generator without a cap, or a group of more elements than can be listed.
    """
    open_ended = [generator.name for generator in group.generators if not math.isfinite(generator.cap)]
    if open_ended:
        raise ValueError(
            f"symmetry: {group.name} has no cap of {', '.join(open_ended)}, of which no degree would be full; leave "
            "the generator out, or use a group that has a cap of it"
        )
    if group.order not in (None, len(group.components)):
        raise ValueError(
            f"symmetry: {group.name} has {group.order} elements, too many to list; use a smaller group of them"
        )
    ranges = [RangeAxis.of(g.name, g.unit, g.cap / g.per_unit, nodes) for g in group.generators]
    count = len(group.components)
    mix = [MixAxis(name="other elements", unit="probability", cap=(count - 1) / count, count=count)]
    return (*ranges, *(mix if count > 1 else []))


def elements(group: Group, axes: tuple[Axis, ...], nodes: Tensor) -> Float[Tensor, "K n n"]:
    """The group elements of rows of nodes `(K, axes)`: `component · exp(Σ_i a_i G_i)`."""
    units = [generator.cap for generator in group.generators]
    ranges = [axis for axis in axes if isinstance(axis, RangeAxis)]
    a = [axis.points[nodes[:, i]] * units[i] for i, axis in enumerate(ranges)]
    g = group.exp(torch.stack(a, -1)) if a else group.identity(len(nodes), dtype=torch.float64)
    if len(axes) > len(ranges):
        g = group.components[nodes[:, -1]].to(g) @ g
    return g


def _integrals(nodes: Float[Tensor, "J"], t: Float[Tensor, "*T 1"]) -> Float[Tensor, "*T J"]:
    """`∫_0^t φ_j(a) da` of the hat functions of nodes that begin at 0."""
    gaps = nodes.diff()
    left, right = torch.cat([gaps[:1], gaps]), torch.cat([gaps, gaps[-1:]])
    rising = (t - (nodes - left)).clamp(min=0).minimum(left)
    falling = (t - nodes).clamp(min=0).minimum(right)
    rises = torch.where(nodes > 0, rising**2 / (2 * left), 0.0)
    # the hat of the last node has no right side, where no law reaches
    falls = falling - falling**2 / (2 * right)
    return rises + falls
