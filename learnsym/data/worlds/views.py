"""How a grid with objects is seen: flat shapes from above, or blocks by a camera that may be tilted.

Legend of axes: `N` pictures, `K` objects, `P` cells of the grid, `H`, `W` pixels.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

COLOURS = ((230, 60, 60), (70, 190, 90), (80, 120, 240), (240, 200, 70), (200, 90, 220), (90, 210, 220))
"""Red, green and blue of each object; as many as there can be."""
SMALLEST = 4
"""Pixels of a cell below which objects cannot be told apart."""
SIDE = 0.7
"""Edge of a block, in cells."""
CHUNK = 1024


class View(abc.ABC):
    """How pictures of objects on a grid are drawn."""

    @abc.abstractmethod
    def masks(self, cells: int, size: int) -> list[tuple[float, Float[Tensor, "K P H W"]]]:
        """Parts of each object at each cell, by row from the bottom: brightness, and which pixels it covers."""

    def pictures(self, state: Int[Tensor, "N K 2"], cells: int, size: int) -> UInt8[Tensor, "N 3 H W"]:
        """Pictures of states, the farthest objects drawn first.

        Args:
            state: column from the left and row from the bottom of each object.
            cells: of the grid along an axis.
            size: of the pictures in pixels.

        Raises:
            ValueError: for pictures that are too small for the objects.
        """
        check_size(cells, size)
        masks = [(brightness, mask > 0) for brightness, mask in self.masks(cells, size)]
        return torch.cat([self._drawn(part, masks, cells, size) for part in state.split(CHUNK)])

    def _drawn(
        self, state: Tensor, masks: list[tuple[float, Tensor]], cells: int, size: int
    ) -> UInt8[Tensor, "N 3 H W"]:
        picture = torch.zeros(len(state), 3, size, size)
        colours = torch.tensor(COLOURS, dtype=torch.float32)
        far_first = state[..., 1].argsort(dim=1, descending=True, stable=True)
        for k in far_first.T:
            column, row = state[torch.arange(len(state)), k].T
            for brightness, mask in masks:
                covered = mask[k, row * cells + column][:, None]
                picture = torch.where(covered, brightness * colours[k][..., None, None], picture)
        return picture.to(torch.uint8)


@dataclass(frozen=True)
class Shapes(View):
    """Flat shapes seen from above: square, cross, frame, diamond, dots and ring, which quarter turns leave alike."""

    def masks(self, cells: int, size: int) -> list[tuple[float, Float[Tensor, "K P H W"]]]:
        side = size // cells
        sprites = _sprites(side)
        masks = torch.zeros(len(sprites), cells * cells, size, size)
        margin = (size - side * cells) // 2
        for row in range(cells):
            for column in range(cells):
                top, left = margin + side * (cells - 1 - row), margin + side * column
                masks[:, row * cells + column, top : top + side, left : left + side] = sprites
        return [(1.0, masks)]


@dataclass(frozen=True)
class Blocks(View):
    """Cubes of one kind, told apart by colour, seen by a far camera that is tilted from straight above.

    A point at `(x, y)` of the floor and height `z`, in cells, is drawn at `(x, y cos t + z sin t)`, so that fronts come
    into view, distances along `y` shrink and blocks hide one another. At 0 degrees quarter turns of the scene are
    quarter turns of the picture; at any other tilt they are not.

    Args:
        tilt: `t` in degrees, 0 to 80.

    Raises:
        ValueError: for a tilt out of range.
    """

    tilt: float = 45.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.tilt <= 80.0:
            raise ValueError(f"tilt: got {self.tilt}, must be within [0, 80] degrees; 0 looks straight down")

    def masks(self, cells: int, size: int) -> list[tuple[float, Float[Tensor, "K P H W"]]]:
        t = math.radians(self.tilt)
        scale = size // cells
        u = (torch.arange(size) + 0.5 - size / 2) / scale
        v = -u + SIDE / 2 * math.sin(t)
        centre = torch.arange(cells) - (cells - 1) / 2
        half = SIDE / 2
        across = (u - centre[:, None]).abs() < half
        middle, rise = centre[:, None] * math.cos(t), SIDE * math.sin(t)
        low, high = middle - half * math.cos(t), middle + half * math.cos(t)
        top = (v > low + rise) & (v < high + rise)
        front = (v > low) & (v <= low + rise)
        return [(brightness, _rectangles(down, across)) for brightness, down in ((0.55, front), (1.0, top))]


def check_size(cells: int, size: int) -> None:
    """Refuse pictures on which objects are too small, or whose grid does not lie in the middle.

    Raises:
        ValueError: one sentence with the next size that works.
    """
    if size < SMALLEST * cells:
        raise ValueError(
            f"size: got {size} pixels for {cells} cells, must be at least {SMALLEST * cells}, since objects need "
            f"{SMALLEST} pixels each"
        )
    if size % cells % 2:
        raise ValueError(
            f"size: got {size} pixels for {cells} cells of {size // cells}, which cannot lie in the middle; "
            f"take {size + 1}"
        )


def _rectangles(down: Tensor, across: Tensor) -> Float[Tensor, "K P H W"]:
    """Which pixels the rectangle at each cell covers, the same for every object."""
    each = (down[:, None, :, None] & across[None, :, None, :]).flatten(0, 1).float()
    return each.expand(len(COLOURS), *each.shape)


def _sprites(side: int) -> Float[Tensor, "K S S"]:
    """One shape for each object, each alike under quarter turns and flips."""
    u = (torch.arange(side) + 0.5) * 2 / side - 1
    x, y = u.abs()[None, :].expand(side, side), u.abs()[:, None].expand(side, side)
    far, near, sum_ = torch.maximum(x, y), torch.minimum(x, y), x + y
    cross, diamond = near < 0.4, sum_ < 1.1
    shapes = (far < 2, cross, far > 0.55, diamond, (near > 0.3) & (far < 2), ~diamond | (far < 0.4))
    return torch.stack([shape.float() for shape in shapes])
