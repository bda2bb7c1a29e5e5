"""Spherical convolutional networks: pictures on an equiangular grid or HEALPix pixels, features on SO(3).

Legend of axes: `B` batch, `C` channels, `P` axes of pixels, `H W` of a picture or one of HEALPix, `K` classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import (
    HealpixTransform,
    S2Conv,
    S2Transform,
    SO3Conv,
    SO3Mean,
    SO3Norm,
    SO3Pointwise,
    SO3ToS2,
)
from learnsym.equivariant.sphere import resized
from learnsym.nets.blocks import at_least_one
from learnsym.representations import highest_band_limit, nside_of

SMALLEST = 8
"""Pixels of the shorter side, from which on a network of two levels has something to see."""
GROWTH = 1.5
"""More channels at each level, whose band limit is lower."""


class SphericalCNN(nn.Module):
    """Classes or numbers of functions on the sphere: invariant under rotations, but for aliasing of the activation.

    A transform, a convolution from the sphere to SO(3), convolutions on SO(3) of falling band limits, each with
    normalisation and a pointwise function, the mean over SO(3), and a linear layer.

    Reference: Cohen, Geiger, Köhler, Welling, "Spherical CNNs" (2018), arXiv 1801.10130.

    Args:
        in_channels: channels of the pictures.
        classes: number of outputs.
        size: rows and columns of the pictures, or `(12 n²,)`, the pixels of HEALPix.
        width: functions at the first level, half as many more at each further one.
        band_limits: of the levels, none above half of the shorter side, or `2 n`; `usual_band_limits` when None.
        azimuthal: azimuthal band limit of all levels; None for their band limits.
        oversampling: of the grid on which the activation is computed: 1 for `2 b` angles, 1.5 for `3 b`.
        activation: makes the pointwise function of a level; ReLU when None.
        norm: `group`, a norm over all channels and rotations (see `SO3Norm`), or `none`.

    Raises:
        ValueError: for pictures that are too small, or numbers out of range.

    Example:
        >>> ls.nets.SphericalCNN(1, 10, (16, 16), width=4)(torch.rand(2, 1, 16, 16)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        size: tuple[int, ...],
        width: int = 8,
        band_limits: Sequence[int] | None = None,
        azimuthal: int | None = None,
        oversampling: float | int = 1.5,
        activation: Callable[[], nn.Module] | None = None,
        norm: str = "group",
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width)
        limits = _checked(size, band_limits)
        self.body = nn.Sequential(
            _transform(size, limits[0]),
            *_levels(in_channels, widths(width, len(limits)), limits, azimuthal, oversampling, activation, norm),
        )
        self.head = nn.Sequential(SO3Mean(), nn.Linear(widths(width, len(limits))[-1], classes))

    def forward(self, x: Float[Tensor, "B C *P"]) -> Float[Tensor, "B K"]:
        return self.head(self.body(x))


class SphericalUNet(nn.Module):
    """Classes of pixels on the sphere: equivariant under rotations, but for aliasing of the activation.

    Levels of falling band limit as in `SphericalCNN`, up again by convolutions on SO(3) whose outputs stand beside
    those of the same level on the way down, and back to the sphere, with logits of the band limit of the first level.

    Reference: Gerken, Carlsson, Linander, Ohlsson, Petersson, Persson, "Equivariance versus augmentation for spherical
    images" (2022), arXiv 2202.03990, whose published network has no connections across.

    Args:
        in_channels, size, width, band_limits, azimuthal, oversampling, activation, norm: as of `SphericalCNN`.
        classes: classes of a pixel.

    Raises:
        ValueError: for pictures that are too small, or numbers out of range.

    Example:
        >>> ls.nets.SphericalUNet(1, 11, (16, 16), width=4)(torch.rand(2, 1, 16, 16)).shape
        torch.Size([2, 11, 16, 16])
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        size: tuple[int, ...],
        width: int = 8,
        band_limits: Sequence[int] | None = None,
        azimuthal: int | None = None,
        oversampling: float | int = 1.5,
        activation: Callable[[], nn.Module] | None = None,
        norm: str = "group",
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, width=width)
        limits = _checked(size, band_limits)
        wide = widths(width, len(limits))
        self.transform = _transform(size, limits[0])
        self.down = nn.ModuleList(_levels(in_channels, wide, limits, azimuthal, oversampling, activation, norm))
        self.up = nn.ModuleList(
            _level(SO3Conv, coming, wide[k], limits[k], azimuthal, oversampling, activation, norm)
            for k, coming in zip(reversed(range(len(limits) - 1)), _coming(wide), strict=True)
        )
        self.limits = limits
        self.head = SO3ToS2((2 if self.up else 1) * width, classes, limits[0], azimuthal)

    def forward(self, x: Float[Tensor, "B C *P"]) -> Float[Tensor, "B K *P"]:
        h, across = self.transform(x), []
        for level in self.down:
            h = level(h)
            across.append(h)
        for level, beside in zip(self.up, reversed(across[:-1]), strict=True):
            h = level(h)
            h = torch.cat([resized(beside, h.shape[2], (h.shape[-1] + 1) // 2), h], 1)
        return self.transform.inverse(self.head(h))


def usual_band_limits(*size: int, levels: int = 2) -> tuple[int, ...]:
    """Half of the band limit of the pixels at the first level, 3/5 of the one before at each further level.

    Example:
        >>> ls.nets.usual_band_limits(40, 40, levels=3)
        (10, 6, 4)
    """
    limits = [max(2, _highest(size) // 2)]
    while len(limits) < levels:
        limits.append(max(2, round(0.6 * limits[-1])))
    return tuple(limits)


def widths(width: int, levels: int) -> list[int]:
    """Functions at each level."""
    return [round(width * GROWTH**k) for k in range(levels)]


def _coming(wide: Sequence[int]) -> list[int]:
    """Channels that come to each level on the way up: of the lowest level, then of both ways at the one below."""
    return [wide[-1], *(2 * each for each in reversed(wide[1:-1]))][: len(wide) - 1]


def _levels(
    in_channels: int,
    wide: Sequence[int],
    limits: Sequence[int],
    azimuthal: int | None,
    oversampling: float | int,
    activation: Callable[[], nn.Module] | None,
    norm: str,
) -> list[nn.Module]:
    kinds = [S2Conv, *[SO3Conv] * (len(limits) - 1)]
    channels = zip([in_channels, *wide], wide, strict=False)
    return [
        _level(kind, coming, going, limit, azimuthal, oversampling, activation, norm)
        for kind, (coming, going), limit in zip(kinds, channels, limits, strict=True)
    ]


def _level(
    conv: type[S2Conv] | type[SO3Conv],
    coming: int,
    going: int,
    limit: int,
    azimuthal: int | None,
    oversampling: float | int,
    activation: Callable[[], nn.Module] | None,
    norm: str,
) -> nn.Module:
    """A convolution, normalisation, a pointwise function."""
    norms = {"group": lambda: SO3Norm(going), "none": nn.Identity}
    if norm not in norms:
        raise ValueError(f"norm: got {norm!r} for a spherical network, must be group or none")
    pointwise = SO3Pointwise(limit, azimuthal, activation() if activation else nn.ReLU(), oversampling)
    return nn.Sequential(conv(coming, going, limit, azimuthal, bias=norm == "none"), norms[norm](), pointwise)


def _transform(size: tuple[int, ...], band_limit: int) -> S2Transform | HealpixTransform:
    """From pixels to coefficients."""
    if len(size) == 1:
        return HealpixTransform(nside_of(size[0]), band_limit)
    return S2Transform(size[0], size[1], band_limit)


def _highest(size: tuple[int, ...]) -> int:
    """The largest band limit of pixels."""
    return 2 * nside_of(size[0]) if len(size) == 1 else highest_band_limit(*size)


def _checked(size: tuple[int, ...], band_limits: Sequence[int] | None) -> tuple[int, ...]:
    """The band limits of the levels, or ValueError."""
    shown = "x".join(map(str, size))
    if len(size) not in (1, 2):
        raise ValueError(f"size: got {size}, must be rows and columns, or the number of HEALPix pixels; give (16, 16)")
    if len(size) == 2 and min(size) < SMALLEST:
        raise ValueError(
            f"size: got pictures of {shown}, too small for a spherical network; take {SMALLEST} pixels or "
            "more for each side, by data.size"
        )
    limits = usual_band_limits(*size) if band_limits is None else tuple(band_limits)
    most = _highest(size)
    if not limits or min(limits) < 1 or max(limits) > most:
        raise ValueError(
            f"band_limits: got {list(limits)} for pictures of {shown}, must be at least one number from 1 "
            f"to {most}, half of the shorter side, or 2 n of HEALPix"
        )
    return limits
