"""Quadrature: an average over a group as a finite sum.

Legend of axes: `K` elements, `n` size of their matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions._elements import names
from learnsym.distributions._rotation_rule import rotation_rule
from learnsym.groups import SO3, Group

CIRCLE_DEGREE, SPACE_DEGREE = 23, 5
MOST = 100_000
"""Most elements along a circle; of a rule on rotations of space `MOST_DEGREE` is the highest degree."""
MOST_DEGREE = 131


@dataclass(frozen=True, kw_only=True)
class Quadrature:
    """Group elements with weights that sum to 1: an average over a group, or along a part of it, as a finite sum.

    Example:
        >>> rule = ls.measure.Quadrature.along(ls.groups.SO2(), "rotation", points=4)
        >>> rule.coordinates.tolist(), rule.unit
        ([-180.0, -90.0, 0.0, 90.0], 'degree')
    """

    elements: Float[Tensor, "K n n"]
    weights: Float[Tensor, "K"]
    labels: tuple[str, ...]
    coordinates: Float[Tensor, "K"]
    """Where each element lies on the axis of a figure, in `unit`."""
    unit: str

    def average(self, values: Float[Tensor, "K *V"]) -> Float[Tensor, "*V"]:
        """The weighted sum of the values at the elements."""
        return torch.tensordot(self.weights.to(values), values, dims=1)

    @staticmethod
    def components(group: Group) -> Quadrature:
        """Every element of a finite group, or one of each connected component of a Lie group, with equal weights.

        Raises:
            ValueError: for a symmetric group with too many elements to list.
        """
        count = len(group.components)
        if group.order not in (None, count):
            raise ValueError(
                f"group: {group.name} has {group.order} elements, too many to list; "
                "pass a Quadrature of those that matter, such as the swaps of two neighbours"
            )
        return Quadrature(
            elements=group.components,
            weights=torch.full((count,), 1 / count, dtype=torch.float64),
            labels=tuple(names(group)),
            coordinates=torch.arange(count, dtype=torch.float64),
            unit="index",
        )

    @staticmethod
    def along(group: Group, generator: str, points: int = 24, half_width: float | None = None) -> Quadrature:
        """The one-parameter subgroup `exp(t G)` for `-h <= t <= h`: the trapezoid rule at equal steps.

        Where the orbit closes (`h = 180°` of a rotation) both ends are one element, all weights are equal, and averages
        of trigonometric polynomials of a degree below `points` are exact.

        Args:
            group: a Lie group.
            generator: name of `G`.
            points: number of elements; 0 is among them when it is even and the orbit closes, or when it is odd.
            half_width: `h` in the unit of the generator; its cap when None.

        Raises:
            ValueError: for an unknown generator, fewer than 2 points, or a half-width that is not within the cap.
        """
        index = _index(group, generator)
        if not 2 <= points <= MOST:
            raise ValueError(f"points: got {points}, must be >= 2 and at most {MOST}; 24 are usual")
        h = _half_width(group, index, half_width)
        closed = _closes(group, index, h)
        t = torch.linspace(-h, h, points + closed, dtype=torch.float64)[:points]
        weights = torch.ones(points, dtype=torch.float64)
        if not closed:
            weights[[0, -1]] = 0.5
        return _of_coordinates(group, index, t, weights / weights.sum())

    @staticmethod
    def haar(group: Group, degree: int | None = None) -> Quadrature:
        """The Haar measure: all elements of a finite group; circles and rotations of space times their components.

        Exact for every function on a finite group, and for polynomials in the entries of the matrices up to `degree`
        on the others: equal angles, or a Lebedev rule on the sphere times equal angles in its plane. The error of an
        equivariance squares the outputs: `degree` is twice theirs.

        Reference: Lebedev, "Quadratures on a sphere" (1976).

        Args:
            group: a finite group, or a compact one of dimension 1, SO(3) or O(3).
            degree: of the polynomials that are averaged without error; when None 23 on a circle (24 angles) and 5 on
                rotations of space (84 elements).

        Raises:
            ValueError: for a degree below 1 or a group without such a rule.

        Example:
            >>> rule = ls.measure.Quadrature.haar(ls.groups.SO3(), degree=4)
            >>> float(rule.average(rule.elements[:, 0, 0] ** 4))
            0.2...
        """
        if degree is not None and degree < 1:
            raise ValueError(f"degree: got {degree}, must be >= 1; None chooses a usual one")
        if group.order is not None:
            return Quadrature.components(group)
        if group.is_compact and group.dim == 1:
            points = (degree or CIRCLE_DEGREE) + 1
            return _over_components(group, Quadrature.along(group, group.generators[0].name, points))
        if group.is_compact and group.dim == 3 and group.space == "space":
            if (degree or SPACE_DEGREE) > MOST_DEGREE:
                raise ValueError(f"degree: got {degree}, must be at most {MOST_DEGREE} on {group.name}; 5 is usual")
            return _over_components(group, _rotations(degree or SPACE_DEGREE))
        raise ValueError(
            f"group: no quadrature of {group.name} is known; "
            "use Quadrature.along one of its generators, or equivariance_error with a distribution"
        )


def _index(group: Group, generator: str) -> int:
    known = [listed.name for listed in group.generators]
    if generator not in known:
        remedy = f"must be one of {', '.join(known)}" if known else "has none; use Quadrature.components"
        raise ValueError(f"generator: got {generator!r}, and {group.name} {remedy}")
    return known.index(generator)


def _half_width(group: Group, index: int, half_width: float | None) -> float:
    generator = group.generators[index]
    h = generator.cap if half_width is None else half_width * generator.per_unit
    if not (0 < h <= generator.cap and math.isfinite(h)):
        cap = generator.cap / generator.per_unit
        raise ValueError(
            f"half_width: got {half_width} for {generator.name}, must be finite, above 0 and at most {cap:g} "
            f"(unit: {generator.unit})"
        )
    return h


def _closes(group: Group, index: int, h: float) -> bool:
    """Whether `exp(hG)` and `exp(-hG)` are one element."""
    ends = torch.zeros(2, group.dim, dtype=torch.float64)
    ends[:, index] = torch.tensor([-h, h], dtype=torch.float64)
    start, end = group.exp(ends)
    return torch.allclose(start, end, atol=1e-9)


def _of_coordinates(group: Group, index: int, t: Tensor, weights: Tensor) -> Quadrature:
    generator = group.generators[index]
    values = t / generator.per_unit
    return Quadrature(
        elements=group.exp(t[:, None] * torch.eye(group.dim, dtype=torch.float64)[index]),
        weights=weights,
        labels=tuple(f"{generator.name} {value:.4g} {generator.unit}" for value in values.tolist()),
        coordinates=values,
        unit=generator.unit,
    )


def _rotations(degree: int) -> Quadrature:
    elements, weights = rotation_rule(degree)
    turns = SO3().log(elements).rad2deg()
    return Quadrature(
        elements=elements,
        weights=weights,
        labels=tuple(f"rotation ({x:.4g}, {y:.4g}, {z:.4g}) degree" for x, y, z in turns.tolist()),
        coordinates=turns.norm(dim=1),
        unit="degree",
    )


def _over_components(group: Group, rule: Quadrature) -> Quadrature:
    """`g = c h` for every component `c` and every element `h` of a rule on the identity component."""
    if len(group.components) == 1:
        return rule
    count = len(group.components)
    return Quadrature(
        elements=(group.components[:, None] @ rule.elements).flatten(0, 1),
        weights=rule.weights.repeat(count) / count,
        labels=tuple(f"{label}, then {name}" for name in names(group) for label in rule.labels),
        coordinates=rule.coordinates.repeat(count),
        unit=rule.unit,
    )
