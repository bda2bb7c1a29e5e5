"""Hue and saturation: maps of RGB that keep grey, and turn and stretch what a colour has beside its grey, its chroma.

With the projection `P` onto grey (1, 1, 1), the projection `Q = I - P` onto chroma and the quarter turn `J` of chroma,
an element `P + c Q + d J` multiplies chroma by the complex number `c + i d`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym._constant import constant
from learnsym.groups._group import Generator
from learnsym.groups._matrix_group import Formulas, MatrixGroup
from learnsym.groups._windings import circular

_P = torch.full((3, 3), 1 / 3, dtype=torch.float64)
_Q = torch.eye(3, dtype=torch.float64) - _P
_J = torch.tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=torch.float64) / math.sqrt(3)


def HueSaturation() -> MatrixGroup:
    """Rotations about the grey axis of RGB and scalings of the distance from it, 3 x 3: SO(2) x R+, commutative.

        exp(θ, s) = P + e^s (cos θ Q + sin θ J)

    Coordinates are hue `θ` (a third of a turn takes red to green to blue) and the logarithm `s` of saturation. The mean
    of the three channels does not change; luma, which weights them unequally, does.

    Example:
        >>> group = ls.groups.HueSaturation()
        >>> from_red_to_yellow = group.exp(torch.tensor([torch.pi / 3, 0.0]))
        >>> (from_red_to_yellow @ torch.tensor([1.0, 0.25, 0.25])).round(decimals=4).abs()
        tensor([0.7500, 0.7500, 0.0000])
    """
    return MatrixGroup(
        name="hue_saturation",
        space="rgb",
        generators=(
            Generator(name="hue", unit="degree", per_unit=math.pi / 180, cap=math.pi),
            Generator(name="saturation", unit="log", cap=math.log(2)),
        ),
        algebra=torch.stack([_J, _Q]),
        components=torch.eye(3, dtype=torch.float64)[None],
        is_compact=False,
        formulas=ChromaMaps(),
    )


@dataclass(frozen=True)
class ChromaMaps(Formulas):
    """Multiplications of chroma by a complex number that is not 0."""

    def inverse(self, g: Tensor) -> Tensor:
        """`z -> z* / |z|²`."""
        c, d = _number(g)
        square = c * c + d * d
        return _map(c / square, -d / square)

    def exp(self, a: Tensor) -> Tensor:
        """`z = e^{s + iθ}`."""
        hue, saturation = a.unbind(-1)
        return _map(saturation.exp() * hue.cos(), saturation.exp() * hue.sin())

    def log(self, g: Tensor) -> Tensor:
        """`θ = arg z` in (-π, π], `s = log |z|`."""
        c, d = _number(g)
        return torch.stack([torch.atan2(d, c), 0.5 * (c * c + d * d).log()], dim=-1)

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """Hue plus whole turns."""
        return circular(a, turns)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """`P + c Q + d J`, and not the projection onto grey, which takes all colour away."""
        c, d = _number(g)
        return ((g - _map(c, d)).abs() <= atol).all(-1).all(-1) & (c.abs() + d.abs() > atol)


def _number(g: Tensor) -> tuple[Tensor, Tensor]:
    """`c, d` by projection: `P`, `Q` and `J` are orthogonal, and `|Q|² = |J|² = 2`."""
    c, d = (0.5 * (constant(matrix, g) * g).sum((-2, -1)) for matrix in (_Q, _J))
    return c, d


def _map(c: Tensor, d: Tensor) -> Tensor:
    c, d = c[..., None, None], d[..., None, None]
    return constant(_P, c) + c * constant(_Q, c) + d * constant(_J, d)
