"""Lattice: the grid of pixels, the blocks of a compression, and a blur or resampling along one axis.

Blur that is weaker along one axis is made up for, as neighbours there are less alike than along the others. Then each
example gets coarse pixels at an angle of its own: the lattice that it had tells little beside one that tells nothing.
Last, all is blurred and covered by noise, alike in all directions. Legend of axes: `B` examples, `C` channels, `*S`
size of the image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image, Volume
from learnsym.measure.pose.nuisances.place import random_turns, turned
from learnsym.measure.pose.smoothing import blurred

BLUR = 1 / 16
"""Standard deviation of the blur, as a share of the shorter side."""
NOISE = 0.1
"""Standard deviation of the noise, as a share of the contrast."""
COARSE = 0.8
"""Number of coarse pixels along a side, as a share of that of pixels."""
STEPS, MOST = 12, 1.2
"""Bisections, and largest blur in pixels, of what makes up for a blur along other axes."""
ALIKE = 0.005
"""Difference of the likeness of neighbours up to which axes count as equal."""


def softened(action: Image | Volume, x: Float[Tensor, "B C *S"], random: torch.Generator) -> Float[Tensor, "B C *S"]:
    """Examples as sharp along all axes, with coarse pixels at random angles, blurred and with noise."""
    x, width = pixelated(action, as_sharp(x), random), BLUR * min(x.shape[2:])
    noise = blurred(torch.randn(x.shape, generator=random).to(x), width)
    return blurred(x, width) + noise * (NOISE * x.std() / noise.std())


def pixelated(action: Image | Volume, x: Float[Tensor, "B C *S"], random: torch.Generator) -> Float[Tensor, "B C *S"]:
    """Each example turned at random, reduced to coarse pixels, enlarged by the nearest one, and turned back."""
    turn = random_turns(len(x), x.dim() - 2, random).to(x)
    fine = list(x.shape[2:])
    coarse = F.interpolate(turned(action, x, turn), size=[max(round(COARSE * n), 1) for n in fine], mode="area")
    return turned(action, F.interpolate(coarse, size=fine, mode="nearest"), turn.mT)


def as_sharp(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "B C *S"]:
    """Blurred along each axis until neighbours are as alike as along the softest one."""
    alike = likenesses(x)
    for axis, value in enumerate(alike, start=2):
        if max(alike) - value > ALIKE:
            x = blurred(x, _width(x, axis), (axis,))
    return x


def likenesses(x: Float[Tensor, "B C *S"]) -> list[float]:
    """Correlation of neighbours along each axis."""
    y = x - x.mean(list(range(2, x.dim())), keepdim=True)
    total = y.square().sum()
    return [float((y.narrow(a, 1, n - 1) * y.narrow(a, 0, n - 1)).sum() / total) for a, n in _axes(y)]


def named(x: Tensor) -> str:
    """The lattice in words."""
    alike = likenesses(x)
    if max(alike) - min(alike) > ALIKE:
        return "the grid of pixels, a compression, or a blur along one axis shows: axes are not equally sharp"
    return "the grid of pixels or of a compression shows"


def _axes(x: Tensor) -> list[tuple[int, int]]:
    return list(enumerate(x.shape))[2:]


def _width(x: Tensor, axis: int) -> float:
    low, high = 0.0, MOST
    for _ in range(STEPS):
        middle = (low + high) / 2
        alike = likenesses(blurred(x, middle, (axis,)))
        # what blurs one axis takes noise away, so that all become more alike
        if alike[axis - 2] < max(alike):
            low = middle
        else:
            high = middle
    return low
