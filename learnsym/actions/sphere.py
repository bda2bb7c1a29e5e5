"""Actions on functions on the sphere, given as pictures on an equiangular grid.

Rows are colatitudes `π (j + 1/2) / H` from the north pole (+z) to the south pole, columns longitudes `2π k / W` from x
to y. Every picture is complete: nothing comes from outside and nothing leaves it.

Legend of axes: `B` batch, `C` channels, `H` latitudes, `W` longitudes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym._constant import constant
from learnsym._eager import in_forward_mode
from learnsym.actions._action import Action
from learnsym.actions._checks import check_batch, check_finite, check_floating, check_space
from learnsym.actions._lattice import readable
from learnsym.actions.sampler import bilinear_sample, nearest_sample
from learnsym.groups import Group
from learnsym.representations import check_band_limit, harmonics_on_grid, sphere_points, turned_harmonics

ON_GRID = 1e-5
"""Pixels by which a moved grid may miss the grid and still be taken for it: rounding of float32."""
POLE = 1e-24
"""Added to squared distances from the axis, whose root has no derivative at a pole."""


@dataclass(frozen=True)
class Sphere(Action):
    """Functions on the sphere as pictures `(B, C, H, W)`, moved by rotations and reflections: `(g·x)(p) = x(g^-1 p)`.

    Pixels are interpolated between their neighbours on the sphere, across the date line and the poles; moves that map
    the grid onto itself (turns about z by whole pixels, half turns about x and y, reflections) are exact. A bilinear
    turn errs where the picture varies within a pixel, in the norm by 23 % for white noise below the band limit `H/2`,
    6 % below `H/4` and 1.5 % below `H/8`. Use `BandLimitedSphere` for turns without error.

    Args:
        mode: `bilinear` or `nearest`.

    Example:
        >>> x = torch.rand(1, 1, 4, 8)
        >>> half_turn = torch.diag(torch.tensor([-1.0, -1.0, 1.0]))[None]
        >>> torch.equal(ls.actions.Sphere()(half_turn, x), x.roll(4, -1))
        True
    """

    mode: str = "bilinear"

    def __post_init__(self) -> None:
        if self.mode not in ("bilinear", "nearest"):
            raise ValueError(f"mode: got {self.mode!r}, must be bilinear or nearest")

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each picture read on a moved grid."""
        height, width = x.shape[-2:]
        work = torch.promote_types(x.dtype, torch.float32)
        pixels = _pixels(g, height, width)
        grid, around = _normalised(pixels, height, width), _around(x)
        if self.mode == "nearest" or _is_on_grid(g, pixels):
            return nearest_sample(around, grid)
        grid, around = grid.to(work), around.to(work)
        if not torch.compiler.is_compiling() and in_forward_mode():
            return bilinear_sample(around, grid).to(x.dtype)
        return F.grid_sample(around, grid, "bilinear", "zeros", align_corners=False).to(x.dtype)

    def check(self, group: Group) -> None:
        """The group must consist of rotations and reflections of space."""
        check_turns(self, group)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point pictures of at least two rows and an even number of columns."""
        check_batch(x, "B C H W")
        check_floating(x)
        check_picture(x)
        check_finite(x)


@dataclass(frozen=True)
class BandLimitedSphere(Action):
    """Band-limited functions on the sphere as pictures `(B, C, H, W)`, moved without any interpolation.

        x = S c,    g·x = S D(g) A x

    with the matrices of Wigner `D` and the real harmonics `S` on the grid. A picture is projected to the functions of
    degree below the band limit first, which leaves those as they are: for them this is exact to rounding.

    Args:
        band_limit: number `b` of degrees, at most `H/2` and `(W + 1)/2`.

    Example:
        >>> half_turn = torch.diag(torch.tensor([1.0, -1.0, -1.0]))[None]
        >>> heights = ls.representations.sphere_points(4, 4)[None, None, ..., 2].float()  # f(p) = z, of degree 1
        >>> torch.allclose(ls.actions.BandLimitedSphere(2)(half_turn, heights), -heights, atol=1e-6)
        True
    """

    band_limit: int

    def __post_init__(self) -> None:
        check_whole(self.band_limit)

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each picture analysed, its coefficients turned, and synthesised."""
        matrices = harmonics_on_grid(*x.shape[-2:], self.band_limit)
        return turned_samples(matrices, g, x.flatten(-2)).unflatten(-1, x.shape[-2:])

    def check(self, group: Group) -> None:
        """The group must consist of rotations and reflections of space."""
        check_turns(self, group)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point pictures that are fine enough for the band limit."""
        check_batch(x, "B C H W")
        check_floating(x)
        check_picture(x)
        check_band_limit(self.band_limit, *x.shape[-2:])
        check_finite(x)


@dataclass(frozen=True)
class SphereLabels(Action):
    """Integer maps `(B, H, W)` on the sphere, one class per pixel, moved by the nearest pixel.

    Example:
        >>> labels = torch.arange(8).view(1, 2, 4)
        >>> quarter_turn = torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
        >>> ls.actions.SphereLabels()(quarter_turn, labels)
        tensor([[[3, 0, 1, 2],
                 [7, 4, 5, 6]]])
    """

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each map read at the nearest pixel."""
        height, width = x.shape[-2:]
        grid = _normalised(_pixels(g, height, width), height, width)
        return nearest_sample(_around(x.unsqueeze(1)), grid).squeeze(1)

    def check(self, group: Group) -> None:
        """The group must consist of rotations and reflections of space."""
        check_turns(self, group)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be integer maps of at least two rows and an even number of columns."""
        check_batch(x, "B H W")
        if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
            raise ValueError(f"x: got {x.dtype}, must be an integer dtype; convert labels with x.long()")
        check_picture(x)


def turned_samples(
    matrices: tuple[Float[Tensor, "D P"], Float[Tensor, "P D"]], g: Float[Tensor, "B 3 3"], x: Float[Tensor, "B C P"]
) -> Float[Tensor, "B C P"]:
    """`S D(g) A x` with the matrices `A`, `S` of a set of points."""
    work = torch.promote_types(torch.promote_types(x.dtype, g.dtype), torch.float32)
    analysis, synthesis = (m.to(x.device, work) for m in matrices)
    c = torch.einsum("dp,bcp->bcd", analysis, x.to(work))
    return torch.einsum("pd,bcd->bcp", synthesis, turned_harmonics(g.to(work), c)).to(x.dtype)


def check_whole(band_limit: int) -> None:
    """A band limit must be a whole number from 1 on."""
    if isinstance(band_limit, bool) or not isinstance(band_limit, int) or band_limit < 1:
        raise ValueError(f"band_limit: got {band_limit!r}, must be a whole number >= 1")


def check_turns(action: object, group: Group) -> None:
    """The group must act on space by orthogonal 3 x 3 matrices."""
    check_space(action, group, "space")
    if group.n != 3 or not group.is_compact:
        raise ValueError(
            f"group: {type(action).__name__} needs rotations and reflections, got {group.name}, which moves points off "
            "the sphere; use SO3(), O3(), AxialSO2() or a finite group of rotations"
        )


def check_picture(x: Tensor) -> None:
    """Pictures must hold the sphere: at least two rows, and columns in pairs, so that opposite meridians meet."""
    height, width = x.shape[-2:]
    if height < 2 or width < 4 or width % 2:
        raise ValueError(
            f"x: got pictures of {height}x{width} for the sphere, must have at least 2 rows and an even number of "
            f"columns from 4 on, so that rows go on beyond the poles; take {max(2, height)}x{max(4, width + width % 2)}"
        )


def _pixels(g: Float[Tensor, "B 3 3"], height: int, width: int) -> Float[Tensor, "B H W 2"]:
    """Where each pixel of a moved picture is read, `g^-1 p`: column and row, counted from the first centre."""
    g = g.to(torch.promote_types(g.dtype, torch.float32))
    x, y, z = torch.einsum("bji,hwj->bhwi", g, constant(sphere_points(height, width), g)).unbind(-1)
    theta = torch.atan2((x * x + y * y + POLE).sqrt(), z)
    column = torch.atan2(y, x).remainder(2 * math.pi) * (width / (2 * math.pi))
    return torch.stack([column, theta * (height / math.pi) - 0.5], -1)


def _normalised(pixels: Float[Tensor, "B H W 2"], height: int, width: int) -> Float[Tensor, "B H W 2"]:
    """Pixels of a picture in the coordinates of `_around`, from -1 to 1 from edge to edge."""
    sizes = constant(torch.tensor([width + 2, height + 2]), pixels)
    return (2 * pixels + 3) / sizes - 1


def _around(x: Shaped[Tensor, "B C H W"]) -> Shaped[Tensor, "B C H+2 W+2"]:
    """A picture with its neighbours on the sphere: the row beyond a pole lies half a turn away, columns go round."""
    half = x.shape[-1] // 2
    x = torch.cat([x[..., :1, :].roll(half, -1), x, x[..., -1:, :].roll(half, -1)], -2)
    return torch.cat([x[..., -1:], x, x[..., :1]], -1)


def _is_on_grid(g: Tensor, pixels: Tensor) -> bool:
    """Whether every pixel is read at the centre of one; reads values."""
    return readable(g) and bool(((pixels - pixels.round()).abs() <= ON_GRID * pixels.shape[-2]).all())
