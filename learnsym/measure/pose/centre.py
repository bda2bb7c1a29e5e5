"""The common centre of the objects of images and volumes: a cue that tells moves and is no law of the objects.

Where all objects are centred a tenth of a pixel off the middle, a rotation about the middle moves that offset with the
object, and a network reads the pose from it, however round the law of the objects is. The control shifts the data by
the mean offset, to the middle, and each example at random by about a pixel, which hides what is left of it. What
survives is a law of the objects. Shifts are in pixels, x right, y up, z along the slices.

Legend of axes: `B` examples, `C` channels, `*S` size of the image, `d` axes.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Action, Image, Volume
from learnsym.actions.border import border_level, outermost

LARGE = 24
"""Pixels of the shorter side from which random shifts are up to one pixel to each side; half a pixel below.

Either covers whole pixels, so that all distances from the lattice are alike and interpolation makes no pattern."""
LITTLE = 1 / 16
"""Share of the shorter side up to which an offset is one; beyond it, the place is part of what the data show."""
SURVIVES = 0.5
"""Share of what a network tells apart that must be left after the control, to put it down to the objects."""


def is_off_centre(action: Action, g: Float[Tensor, "*B n n"], x: Tensor) -> bool:
    """Whether elements move images or volumes about a middle from which the objects are a little off."""
    dim = {Image: 2, Volume: 3}.get(type(action), 0)
    if not dim or bool(g[..., :dim, dim:].any()):
        return False
    return float(centre_of(x).norm()) < LITTLE * min(x.shape[2:])


def centre_of(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "d"]:
    """The mean centre of the objects, as an offset from the middle in pixels.

    The centroid of the squared deviation from the border, with equal weight of all examples; noise, which is there at
    the border too, is taken off.

    Example:
        >>> x = torch.zeros(1, 1, 8, 8)
        >>> x[..., 4, 5] = 1.0
        >>> centre_of(x)
        tensor([ 1.5000, -0.5000])
    """
    energy = energy_of(x)
    centre = [(energy * place).sum() for place in axes_of(x)]
    # the last axis is x, and rows run downwards
    offset = torch.stack(centre[::-1]) / energy.sum().clamp(min=1e-12)
    offset[1] = -offset[1]
    return offset


def centres_of(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "B d"]:
    """The centre of each object alone, as an offset from the middle in pixels, on a ground of zeros.

    Example:
        >>> x = torch.zeros(2, 1, 8, 8)
        >>> x[0, :, 4, 5] = x[1, :, 0, 0] = 1.0
        >>> centres_of(x)
        tensor([[ 1.5000, -0.5000],
                [-3.5000,  3.5000]])
    """
    energy = x.square().sum(1)
    share = energy / energy.flatten(1).sum(1).clamp(min=1e-12).view(-1, *[1] * (x.dim() - 2))
    offset = torch.stack([(share * place).flatten(1).sum(1) for place in axes_of(x)][::-1], 1)
    offset[:, 1] = -offset[:, 1]
    return offset


def energy_of(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "*S"]:
    """The mean share of each pixel in the squared deviation from the border, less what noise adds everywhere."""
    level = border_level(x)
    level = outermost(x).flatten(1).median(1).values if level is None else level
    energy = (x - level.view(-1, *[1] * (x.dim() - 2))).square().sum(1)
    share = energy / energy.flatten(1).sum(1).clamp(min=1e-12).view(-1, *[1] * (x.dim() - 2))
    mean = share.mean(0)
    return (mean - outermost(mean[None, None]).median()).clamp(min=0)


def axes_of(x: Float[Tensor, "B C *S"]) -> list[Float[Tensor, "*S"]]:
    """The place of each pixel along each axis, from the middle of the picture, in pixels."""
    axes = [torch.arange(n, dtype=x.dtype, device=x.device) - (n - 1) / 2 for n in x.shape[2:]]
    return list(torch.meshgrid(*axes, indexing="ij"))


def to_the_middle(x: Float[Tensor, "B C *S"], generator: torch.Generator) -> Float[Tensor, "B d"]:
    """The shifts of the control: each example by the mean offset, to the middle, and by about a pixel at random."""
    return random_shifts(x, random_size(x), generator) - centre_of(x)


def random_size(x: Float[Tensor, "B C *S"]) -> float:
    """The largest random shift that hides what is left of an offset, in pixels."""
    return 1.0 if min(x.shape[2:]) >= LARGE else 0.5


def random_shifts(x: Float[Tensor, "B C *S"], most: float, generator: torch.Generator) -> Float[Tensor, "B d"]:
    """A shift by up to `most` pixels along each axis for each example."""
    draws = torch.rand(len(x), x.dim() - 2, generator=generator).to(x)
    return (2 * draws - 1) * most


def shifted(
    action: Action, x: Float[Tensor, "B C *S"], shift: Float[Tensor, "B d"], g: Float[Tensor, "n n"] | None = None
) -> Float[Tensor, "B C *S"]:
    """Each example shifted by its own number of pixels, then moved by an element, with one interpolation."""
    dim = shift.shape[1]
    matrix = torch.eye(dim + 1, dtype=x.dtype, device=x.device).repeat(len(x), 1, 1)
    # a unit is half of the shortest side
    matrix[:, :dim, dim] = shift * (2 / min(x.shape[2:]))
    if g is None:
        return action(matrix, x)
    whole = torch.eye(dim + 1, dtype=x.dtype, device=x.device)
    whole[: g.shape[0], : g.shape[0]] = g
    return action(whole @ matrix, x)


def named(offset: Float[Tensor, "d"]) -> str:
    """How a sentence says where the objects are."""
    numbers = ", ".join(f"{value:.2f}" for value in offset.tolist())
    return f"the objects are centred ({numbers}) pixels off the middle"


def survives(centred: float, plain: float) -> bool:
    """Whether enough is told apart after the control to put it down to the objects."""
    return centred > SURVIVES * plain
