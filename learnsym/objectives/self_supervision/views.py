"""Random views of pictures: what a contrast takes for the same."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image
from learnsym.groups import Group


@dataclass(frozen=True)
class RandomViews:
    """Pictures shifted, scaled, made brighter or darker, with a square erased; and turned, when a group is given.

    Args:
        shift: half-width of the shift along each axis, as a fraction of the shorter side.
        scale: half-width of the logarithm of the scale factor.
        light: half-width of the factor of all values, about 1.
        erased: side of the square that is set to 0, as a fraction of the shorter side.
        group: whose elements turn pictures, uniformly; None leaves them as they are.

    Raises:
        ValueError: for a width below 0, or an erased square or light of 1 and more.

    Example:
        >>> ls.objectives.RandomViews(group=ls.groups.Cyclic(4))(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
    """

    shift: float = 0.15
    scale: float = 0.2
    light: float = 0.3
    erased: float = 0.3
    group: Group | None = None

    def __post_init__(self) -> None:
        for name, most in (("shift", 1.0), ("scale", 3.0), ("light", 1.0), ("erased", 1.0)):
            if not 0 <= getattr(self, name) < most:
                raise ValueError(f"{name}: got {getattr(self, name)}, must lie in [0, {most:g}); 0 leaves it out")

    def __call__(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """One view of each picture."""
        size = torch.rand(len(x), 1, 1, 1, device=x.device).to(x)
        factor = 1 + self.light * (2 * size - 1)
        return factor * self._erasing(Image()(self._moves(x), x))

    def _moves(self, x: Tensor) -> Float[Tensor, "B 3 3"]:
        """`g = shift · scale · turn`; coordinates count in halves of the shorter side."""
        u = 2 * torch.rand(len(x), 3, device=x.device).to(x) - 1
        g = torch.eye(3, device=x.device).to(x).repeat(len(x), 1, 1)
        turn = g[:, :2, :2] if self.group is None else self.group.haar(len(x), dtype=x.dtype, device=x.device)
        g[:, :2, :2] = (self.scale * u[:, :1]).exp().unsqueeze(-1) * turn
        g[:, :2, 2] = 2 * self.shift * u[:, 1:]
        return g

    def _erasing(self, x: Tensor) -> Tensor:
        """With a square of zeros anywhere inside of each picture."""
        side = self.erased * min(x.shape[-2:])
        inside = [self._stretch(x, size, side) for size in x.shape[-2:]]
        hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
        return x.masked_fill(hole, 0.0)

    @staticmethod
    def _stretch(x: Tensor, size: int, side: float) -> Tensor:
        """`(B, size)`: the pixels of a stretch of length `side` along one axis."""
        start = torch.rand(len(x), 1, device=x.device) * (size - side)
        pixels = torch.arange(size, device=x.device) + 0.5
        return (pixels >= start) & (pixels < start + side)
