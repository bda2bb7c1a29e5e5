"""Points around a pixel, and the values of regular fields at all of their images under a group.

Legend of axes: `P` points, `G` elements of the group, `m` fields, `k` corners of an interpolation, `*S` pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.groups import Group, cayley_table

LATTICE = 1e-9


@dataclass(frozen=True)
class Points:
    """Points `(u_p, h_p)` of a plane and a finite group: offsets `u_p` in pixels (x right, y up), indices of `h_p`."""

    offsets: tuple[tuple[int, int], ...]
    elements: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.offsets) != len(self.elements) or not self.offsets:
            raise ValueError(
                f"elements: got {len(self.elements)} for {len(self.offsets)} offsets, must be one for each; give some"
            )

    def __len__(self) -> int:
        return len(self.offsets)

    @staticmethod
    def star(group: Group, radius: int = 1) -> Points:
        """The square `(2 radius + 1)²` at the neutral element, then every other element at the pixel itself."""
        reach = range(-radius, radius + 1)
        square = [(x, y) for y in reach for x in reach]
        others = range(1, len(group.components))
        return Points((*square, *[(0, 0) for _ in others]), (*[0 for _ in square], *others))

    @staticmethod
    def drawn(group: Group, count: int, factors: int, radius: int, seed: int) -> Points:
        """`count` times `factors` points: the origin, then distinct ones drawn from a square and the whole group."""
        side = 2 * radius + 1
        pool = side**2 * len(group.components)
        if factors > pool:
            raise ValueError(f"factors: got {factors}, must be at most {pool}, the points in reach; raise radius")
        random = torch.Generator().manual_seed(seed)
        centre = side**2 // 2
        chosen = []
        for _ in range(count):
            others = [int(i) for i in torch.randperm(pool, generator=random) if int(i) != centre][: factors - 1]
            chosen += [centre, *others]
        cells = [divmod(i, side**2) for i in chosen]
        return Points(
            tuple((cell % side - radius, cell // side - radius) for _, cell in cells),
            tuple(element for element, _ in cells),
        )


class Neighbours(nn.Module):
    """The values of regular fields at the images of points under every element of a group, about every pixel.

        v[f, p, g](t) = x_f(t + g u_p, g h_p)

    They are regular fields again. Offsets that fall between pixels are interpolated, bilinearly; none do for C_4, D_4
    and their subgroups.

    Args:
        group: finite, of the plane.
        points: those `(u_p, h_p)`.
        padding_mode: what lies outside of the image, "zeros" or "circular".
    """

    def __init__(self, group: Group, points: Points, padding_mode: str = "zeros") -> None:
        super().__init__()
        if padding_mode not in ("zeros", "circular"):
            raise ValueError(f"padding_mode: got {padding_mode!r}, must be zeros or circular; choose one of them")
        order = len(group.components)
        if not all(0 <= element < order for element in points.elements):
            raise ValueError(f"points: got elements {points.elements}, must be indices below {order} of {group}")
        self.order, self.padding_mode = order, padding_mode
        moved = torch.einsum("gij,pj->pgi", group.components, torch.tensor(points.offsets, dtype=torch.float64))
        pixels, weights = corners(moved)
        self.reach = int(pixels.abs().max())
        self.element = Constant(cayley_table(group).mT[list(points.elements)])
        self.column, self.row = Constant(pixels[..., 0]), Constant(-pixels[..., 1])
        self.weight = Constant(weights) if len(weights) > 1 else None

    def forward(self, x: Float[Tensor, "B m G H W"]) -> Float[Tensor, "B m P G H W"]:
        """The values `v`."""
        height, width = x.shape[-2:]
        around, r = self.padded(x), self.reach
        place = (self.element() * (height + 2 * r) + self.row() + r) * (width + 2 * r) + self.column() + r
        rows = torch.arange(height, device=x.device) * (width + 2 * r)
        index = place[..., None, None] + rows[:, None] + torch.arange(width, device=x.device)
        values = around.flatten(2).index_select(2, index.flatten()).unflatten(2, index.shape)
        if self.weight is None:
            return values[:, :, 0]
        return (values * self.weight().to(values.dtype)[..., None, None]).sum(2)

    def padded(self, x: Float[Tensor, "B m G H W"]) -> Float[Tensor, "B m G H_p W_p"]:
        """`x` with what lies outside, as far as the points reach."""
        mode = "circular" if self.padding_mode == "circular" else "constant"
        return F.pad(x.flatten(1, 2), [self.reach] * 4, mode=mode).unflatten(1, x.shape[1:3]) if self.reach else x

    def kernel(self) -> Float[Tensor, "P G G k k"]:
        """The same as a convolution: its weights from channel to channel."""
        side = 2 * self.reach + 1
        weight = torch.ones(1, 1, 1) if self.weight is None else self.weight()
        element, row, column = self.element(), self.row() + self.reach, self.column() + self.reach
        place = (element * side + row) * side + column
        flat = torch.zeros(*element.shape, self.order * side**2, dtype=weight.dtype, device=weight.device)
        flat = flat.expand(len(place), *flat.shape).scatter(-1, place[..., None], weight.expand_as(place)[..., None])
        return flat.sum(0).unflatten(-1, (self.order, side, side))


def corners(offsets: Float[Tensor, "P G 2"]) -> tuple[Int[Tensor, "k P G 2"], Float[Tensor, "k P G"]]:
    """The pixels around each offset with the weights of bilinear interpolation; one pixel where all are whole."""
    nearest = offsets.round()
    if bool(((offsets - nearest).abs() < LATTICE).all()):
        return nearest.long()[None], torch.ones(1, *offsets.shape[:-1], dtype=offsets.dtype)
    low = (offsets + LATTICE).floor()
    part = (offsets - low).clamp(min=0)
    steps = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=offsets.dtype)[:, None, None]
    weights = (steps * part + (1 - steps) * (1 - part)).prod(-1)
    return (low + steps).long(), weights
