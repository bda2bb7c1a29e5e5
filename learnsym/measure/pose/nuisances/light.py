"""Light: a slope or a vignette of the illumination, as a background or as a gain.

From each example its own best polynomial of second degree on a disc is subtracted; turning commutes with that. Gains
cannot be told from objects, and are hidden by random ones. Legend of axes: `B` examples, `C` channels, `*S` size of the
image, `P` pixels, `K` polynomials.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.pose.centre import axes_of

INNER, OUTER = 0.75, 0.95
"""Radii in half sides between which the weight of pixels falls to zero."""
GAIN = 0.6
"""Standard deviation of random gains at the border; of curved ones half of it."""


def relit(x: Float[Tensor, "B C *S"], random: torch.Generator) -> Float[Tensor, "B C *S"]:
    """Examples without their background, under random light."""
    flat = x - background(x)
    polynomials = _polynomials(x)[1:]
    sizes = [GAIN if i < x.dim() - 2 else GAIN / 2 for i in range(len(polynomials))]
    chosen = torch.randn(len(x), len(sizes), generator=random).to(x) * torch.tensor(sizes).to(x)
    gain = (chosen @ polynomials).view(len(x), 1, *x.shape[2:])
    return flat * (1 + gain)


def background(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "B C *S"]:
    """The polynomial of second degree that is nearest to each example on the disc.

    Example:
        >>> ramp = torch.linspace(0, 1, 8).expand(1, 1, 8, 8)
        >>> bool((background(ramp) - ramp).abs().max() < 1e-5)
        True
    """
    basis, weight = _polynomials(x), _weight(x)
    normal = basis @ (weight[:, None] * basis.mT)
    fit = torch.linalg.solve(normal, basis * weight)
    return ((x.flatten(2) @ fit.mT) @ basis).view(x.shape)


def without_slope(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "B C *S"]:
    """Examples less the linear part of their background."""
    basis, weight = _polynomials(x)[: x.dim() - 1], _weight(x)
    fit = torch.linalg.solve(basis @ (weight[:, None] * basis.mT), basis * weight)
    return x - ((x.flatten(2) @ fit[1:].mT) @ basis[1:]).view(x.shape)


def named(x: Tensor) -> str:
    """The light in words."""
    slopes = [(background(x).mean((0, 1)) * place).mean() / place.square().mean() for place in axes_of(x)][::-1]
    share = float(torch.stack(slopes).norm()) * min(x.shape[2:]) / 2 / max(float(x.std()), 1e-12)
    return f"the light has a slope or a vignette: the background rises by {share:.2g} of the contrast to one side"


def _polynomials(x: Tensor) -> Float[Tensor, "K P"]:
    places = [place.flatten() * (2 / min(x.shape[2:])) for place in axes_of(x)]
    squares = [p * q for i, p in enumerate(places) for q in places[i:]]
    return torch.stack([torch.ones_like(places[0]), *places, *squares])


def _weight(x: Tensor) -> Float[Tensor, "P"]:
    radius = torch.stack(axes_of(x)).square().sum(0).sqrt().flatten() * (2 / min(x.shape[2:]))
    share = ((radius - INNER) / (OUTER - INNER)).clamp(0, 1)
    return 0.5 + 0.5 * torch.cos(math.pi * share)
