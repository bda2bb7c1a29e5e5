"""A learned arc of rotations.

Legend of axes: `d` values or coefficients of one field, `N` rotations, `F` coefficients.
"""

from __future__ import annotations

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree
from learnsym.distributions import LearnableBox
from learnsym.equivariant import FieldType
from learnsym.groups import SO2
from learnsym.relax.partial.range import PartialRange, partial_degree, regular_order
from learnsym.representations import Irrep, irreps, turns


@final
class LearnedArc(PartialRange):
    """A learned arc of rotations, from `-θ` to `θ`, with `θ` between 0 and 180°.

        p(h) = π / θ  for |h| <= θ, else 0

    The integrals over the arc are taken in closed form, where the paper draws random elements. On Fourier coefficients
    of SO(2) the window is `∫ p(h) Y(h) Y(h)^T dh`, from the moments `sin(nθ) / nθ`; on regular fields of C_N each
    element stands for an arc of `360° / N`, and `p` is its share. Training and evaluation compute the same.

    Reference: Romero, Lohit, "Learning partial equivariances from data" (2022), arXiv 2110.10211.

    Args:
        field_type: `FieldType.all_irreps(SO2(), count, band_limit)` or `FieldType.regular(Cyclic(N), count)`.
        init: `θ` at the start, as a fraction of 180°; near 1 is near exact equivariance.

    Raises:
        ValueError: for other fields, or an `init` that is not in (0, 1).

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(8), 4)
        >>> print(ls.relax.LearnedArc(fields, init=0.5).degrees("layer:1")[0])
        layer:1: C_8 rotation 90 degree (task, partial group convolution)...
    """

    def __init__(self, field_type: FieldType, init: float = 0.98) -> None:
        super().__init__()
        self.field_type = field_type
        self.band_limit = _band_limit(field_type)
        self.box = LearnableBox(SO2(), init)

    @property
    def half_width(self) -> Float[Tensor, ""]:
        """`θ` in radians."""
        return math.pi * self.extent()[0]

    def window(self) -> Float[Tensor, "d d"]:
        """Diagonal for regular fields, dense for Fourier coefficients."""
        if self.band_limit is None:
            return torch.diag(arc_shares(self.half_width, len(self.field_type.group.components)))
        return arc_moments(self.half_width, self.band_limit)

    def extent(self) -> Float[Tensor, "P"]:
        """`θ / π`, without the rounding of a cap that was once single precision."""
        return self.box.half_width / self.box.width.caps

    def degrees(self, site: str) -> list[Degree]:
        """The half-width of the arc in degrees."""
        return [
            partial_degree(self.field_type, site, "rotation", "degree", float(self.half_width.detach()) * 180 / math.pi)
        ]


def arc_shares(half_width: Float[Tensor, ""], count: int) -> Float[Tensor, "N"]:
    """`N` times the share of `[-θ, θ]` that lies in the arc of `2π / N` around each of `N` rotations."""
    middle = 2 * math.pi * torch.arange(count, dtype=half_width.dtype, device=half_width.device) / count
    distance, reach = torch.minimum(middle, 2 * math.pi - middle), math.pi / count
    low, high = (distance - reach).clamp(min=0.0), (distance + reach).clamp(max=math.pi)
    covered = (torch.minimum(high, half_width) - low).clamp(min=0.0)
    # the arcs around 0° and 180° lie on both sides of the circle
    both = (distance < reach / 2) | (distance > math.pi - reach / 2)
    return covered * torch.where(both, 2.0, 1.0) * count / (2 * half_width)


def arc_moments(half_width: Float[Tensor, ""], band_limit: int) -> Float[Tensor, "F F"]:
    """`∫ p(h) Y(h) Y(h)^T dh` of the arc, for `Y = (1, √2 cos h, √2 sin h, √2 cos 2h, ...)`."""
    n = torch.arange(2 * band_limit + 1, dtype=half_width.dtype, device=half_width.device)
    moments = torch.sinc(n * half_width / math.pi)
    frequency = torch.arange(1, 2 * band_limit + 1, device=half_width.device).add(1).div(2, rounding_mode="floor")
    is_sine = torch.arange(2 * band_limit, device=half_width.device) % 2
    difference = moments[(frequency[:, None] - frequency).abs()]
    total = moments[frequency[:, None] + frequency] * (1 - 2 * is_sine)
    rest = (difference + total) * (is_sine[:, None] == is_sine)
    first = 2**0.5 * moments[frequency] * (1 - is_sine)
    return torch.cat([torch.cat([moments[:1], first])[None], torch.cat([first[:, None], rest], 1)])


def _band_limit(field_type: FieldType) -> int | None:
    """The band limit of Fourier fields of SO(2); None for regular fields of C_N; ValueError for others."""
    group = field_type.group
    if group == SO2():
        last = field_type.parts[-1][0]
        expected = irreps(group, last.frequency) if isinstance(last, Irrep) else []
        counts = {count for _, count in field_type.parts}
        if [representation for representation, _ in field_type.parts] == expected and len(counts) == 1:
            return len(expected) - 1
        raise ValueError(f"field_type: got {field_type}, must be FieldType.all_irreps(SO2(), count, band_limit)")
    if regular_order(field_type) != turns(group):
        raise ValueError(f"field_type: got {field_type}, must be of C_N or SO(2); take LearnedElements for D_N")
    return None
