"""Place and proportions: objects off the middle, and pixels with sides of unequal length.

Both are taken from the energy of all examples together, the squared deviation from the border: its centre, and its
second moments about it, which are round when objects lie at all angles and pixels are square. What is left is hidden by
random shifts of about a pixel and random stretches. A slope of the light would count as energy, and is taken off first.

On a ground of zeros each object has a centre of its own: those that turn about another point than the middle also move,
and where they are tells their pose. Legend of axes: `B` examples, `C` channels, `*S` size of the image, `d` axes.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image, Volume
from learnsym.actions.border import BLACK, outermost
from learnsym.measure.pose.centre import (
    LITTLE,
    axes_of,
    centre_of,
    centres_of,
    energy_of,
    named,
    random_shifts,
    random_size,
    shifted,
)
from learnsym.measure.pose.nuisances.light import without_slope

INSIDE = 0.8
"""Radius in half sides within which moments are taken, a disc that prefers no direction."""
UNEQUAL = 1.25
"""Ratio of extents up to which they are put down to the pixels; beyond it, they are what the data show."""
STRETCH = 0.06
"""Standard deviation of the logarithm of random stretches."""


def straightened(
    action: Image | Volume, x: Float[Tensor, "B C *S"], random: torch.Generator, centre: bool = True, sides: bool = True
) -> Float[Tensor, "B C *S"]:
    """Examples shifted to the middle and stretched to round moments, each a little at random, by one interpolation."""
    dim, ground = x.dim() - 2, without_slope(x)
    linear = torch.eye(dim).to(x).expand(len(x), dim, dim)
    shift = torch.zeros(len(x), dim).to(x)
    if sides:
        linear = random_stretches(len(x), dim, random).to(x) @ to_round(ground)
    if centre:
        shift = random_shifts(x, random_size(x), random) - (linear @ _little(centre_of(ground), x))
    matrix = torch.eye(dim + 1).to(x).repeat(len(x), 1, 1)
    # a unit is half of the shortest side
    matrix[:, :dim, :dim], matrix[:, :dim, dim] = linear, shift * (2 / min(x.shape[2:]))
    # a frame of zeros beside a ground that is not zero would turn with what is turned
    return replace(action, padding="border")(matrix, x)


def stand_alone(x: Float[Tensor, "B C *S"]) -> bool:
    """Whether objects lie on a ground of zeros, so that each has a centre: noise would weigh as much as they."""
    return float(outermost(x).abs().median()) <= BLACK * float(x.std())


def centred_each(action: Image | Volume, x: Float[Tensor, "B C *S"], random: torch.Generator) -> Tensor:
    """Each object on a ground of zeros shifted to the middle by its own centre, and a little at random."""
    return shifted(action, x, random_shifts(x, random_size(x), random) - centres_of(x))


def turned(action: Image | Volume, x: Float[Tensor, "B C *S"], turn: Float[Tensor, "B d d"]) -> Float[Tensor, "B C *S"]:
    """Each example turned about its middle by its own rotation; the border goes on as it is."""
    dim = x.dim() - 2
    matrix = torch.eye(dim + 1).to(x).repeat(len(x), 1, 1)
    matrix[:, :dim, :dim] = turn
    return replace(action, padding="border")(matrix, x)


def random_turns(count: int, dim: int, random: torch.Generator) -> Float[Tensor, "B d d"]:
    """Rotations by the uniform law of the group: from QR of normal matrices (Mezzadri 2007, arXiv:math-ph/0609050)."""
    q, r = torch.linalg.qr(torch.randn(count, dim, dim, generator=random))
    q = q * r.diagonal(dim1=1, dim2=2).sign()[:, None]
    # a reflection becomes a rotation by turning one axis around
    q[:, :, 0] = q[:, :, 0] * q.det().sign()[:, None]
    return q


def random_stretches(count: int, dim: int, random: torch.Generator) -> Float[Tensor, "B d d"]:
    """Stretches along random directions that keep the volume."""
    a = torch.randn(count, dim, dim, generator=random) * (STRETCH / 2**0.5)
    symmetric = a + a.mT
    trace = symmetric.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    return torch.matrix_exp(symmetric - trace * torch.eye(dim))


def to_round(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "d d"]:
    """The stretch along the axes of the lattice that makes extents alike; the identity where they differ much."""
    extent = extents_of(x)
    if float(extent.max() / extent.min()) > UNEQUAL:
        return torch.eye(len(extent)).to(x)
    return torch.diag(extent.log().mean().exp() / extent)


def extents_of(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "d"]:
    """Standard deviation of the energy along each axis about the middle of the picture, x first, in pixels.

    Example:
        >>> x = torch.zeros(1, 1, 16, 16)
        >>> x[..., 6:10, 4:12] = 1.0
        >>> extents_of(x)
        tensor([2.2913, 1.1180])
    """
    energy, places = energy_of(x), axes_of(x)
    radius = INSIDE * min(x.shape[2:]) / 2
    inside = sum(place.square() for place in places) < radius**2
    energy = energy * inside
    total = energy.sum().clamp(min=1e-12)
    means = [(energy * place).sum() / total for place in places]
    squares = [(energy * (p - m).square()).sum() / total for p, m in zip(places, means, strict=True)]
    return torch.stack(squares[::-1]).clamp(min=1e-6).sqrt()


def named_centre(x: Tensor) -> str:
    """The offset in words."""
    return named(centre_of(x))


def named_places(x: Tensor) -> str:
    """The places of objects that stand alone in words."""
    around = float((centres_of(x) - centre_of(x)).norm(dim=1).mean())
    return f"objects lie {around:.2g} pixels from their common centre, as where they turn about another point"


def named_sides(x: Tensor) -> str:
    """The proportions in words."""
    extent = extents_of(without_slope(x))
    return f"the sides of the pixels differ: along x all is {float(extent[0] / extent[1]):.3f} times as long as along y"


def _little(offset: Float[Tensor, "d"], x: Tensor) -> Float[Tensor, "d"]:
    return offset if float(offset.norm()) < LITTLE * min(x.shape[2:]) else torch.zeros_like(offset)
