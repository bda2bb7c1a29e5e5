"""Views: how examples are shown to a network so that nothing but the examples themselves tells a move.

Objects on a constant ground are taken off it, and put into the middle where the question is about turns or sizes: the
mean place of an object moves with the object, so that its poses stay. Photographs have no ground, and what a move
brings in from outside would tell it: they are mirrored at the border, and only a window is read that nothing enters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import Image
from learnsym.actions.border import border_level
from learnsym.inference.candidates import Candidate
from learnsym.measure.pose.networks import GridPoseNetwork
from learnsym.symmetry import Symmetry

WINDOW = 0.6
"""Share of the side of photographs that is read where moves bring in what lies outside."""
CENTRED = ("rotation", "scale", "stretch", "shear")


@dataclass(frozen=True)
class View:
    """Examples as one candidate needs them, how it moves them, how far, and the network that reads them."""

    x: Tensor
    symmetry: Symmetry
    moves: float | None
    network: Callable[[int], nn.Module] | None = None


class WindowNetwork(nn.Module):
    """The network that reads moves, on the middle of images alone.

    Args:
        channels: of the images.
        bins: number of scores.
        size: height and width of the images in pixels.
    """

    def __init__(self, channels: int, bins: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.margins = [int(side * (1 - WINDOW) / 2) for side in size]
        self.network = GridPoseNetwork(2, channels, bins, disc=False)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """Scores of the bins."""
        (top, left), (height, width) = self.margins, x.shape[2:]
        return self.network(x[:, :, top : height - top, left : width - left])


def view_of(x: Tensor, candidate: Candidate) -> View:
    """The view in which the poses of a candidate are read."""
    symmetry = candidate.symmetry
    assert symmetry is not None  # since it fits
    if x.dim() == 3:
        return View(positioned(x, symmetry), symmetry, candidate.moves)
    if not isinstance(symmetry.on_input, Image):
        return View(x, symmetry, candidate.moves)
    level = border_level(x)
    if level is not None:
        x = x - level.view(-1, 1, 1)
        return View(recentred(x) if candidate.name in CENTRED else x, symmetry, candidate.moves)
    if candidate.moves is None:
        return View(x, symmetry, None)
    return _windowed(x, candidate)


def _windowed(x: Tensor, candidate: Candidate) -> View:
    assert candidate.symmetry is not None
    shift = candidate.name.startswith("translation")
    # the farthest moves after which the window still shows nothing from outside
    moves = (1 - WINDOW) / 2 if shift else -math.log(WINDOW)
    symmetry = replace(candidate.symmetry, on_input=Image(padding="reflection"))
    height, width = x.shape[2:]
    return View(x, symmetry, moves, lambda bins: WindowNetwork(x.shape[1], bins, (height, width)))


def positioned(x: Float[Tensor, "B N F"], symmetry: Symmetry) -> Float[Tensor, "B N F"]:
    """Clouds with the mean of their points at the origin."""
    dim = symmetry.group.n
    return torch.cat([x[..., :dim] - x[..., :dim].mean(1, keepdim=True), x[..., dim:]], -1)


def recentred(x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Objects on zero ground shifted by whole pixels, so that the mean place of their squares is in the middle.

    Example:
        >>> x = torch.zeros(1, 1, 5, 5)
        >>> x[..., 1, 3] = 1.0
        >>> recentred(x)[0, 0, 2, 2]
        tensor(1.)
    """
    energy = x.square().sum(1)
    total = energy.flatten(1).sum(1).clamp(min=1e-12)
    shifts = []
    for axis, length in ((2, x.shape[2]), (1, x.shape[3])):
        places = torch.arange(length, dtype=x.dtype, device=x.device) - (length - 1) / 2
        shifts.append((energy.sum(axis) @ places / total).round().long())
    return _moved_back(x, *shifts)


def _moved_back(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Row and column `i` of the result are those at `i` plus the shift of each image, zero outside."""
    for axis, shift in ((2, down), (3, right)):
        index = torch.arange(x.shape[axis], device=x.device) + shift[:, None]
        inside = (index >= 0) & (index < x.shape[axis])
        shape = [len(x), 1, 1, 1]
        shape[axis] = x.shape[axis]
        place = index.clamp(0, x.shape[axis] - 1).view(shape).expand_as(x)
        x = x.gather(axis, place) * inside.view(shape)
    return x
