"""Actions on pixels and voxels: images, label maps, volumes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_batch, check_finite, check_floating, check_size, check_space
from learnsym.actions._lattice import act_on_lattice
from learnsym.actions.sampler import nearest_sample
from learnsym.actions.warp import check_mode, sampling_grid, warp
from learnsym.groups import Group


@dataclass(frozen=True)
class Image(Action):
    """Images `(B, C, H, W)` moved by planar groups: `(g·x)(u) = x(g^-1 u)`, u in isotropic coordinates.

    Quarter turns and flips are exact, everything else holds up to interpolation and what leaves the view; see `warp`.

    Args:
        mode: `bilinear`, `nearest` or `bicubic`.
        padding: what lies outside the image: `zeros`, `border` or `reflection`.

    Example:
        >>> x = torch.rand(2, 3, 8, 8)
        >>> half_turn = -torch.eye(2).expand(2, 2, 2)
        >>> torch.equal(ls.actions.Image()(half_turn, x), x.flip(-2, -1))
        True
    """

    mode: str = "bilinear"
    padding: str = "zeros"

    def __post_init__(self) -> None:
        check_mode(self.mode, self.padding)

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each image warped by its own element."""
        return warp(x, g, self.mode, self.padding)

    def check(self, group: Group) -> None:
        """The group must act on the plane."""
        check_space(self, group, "plane")
        check_size(self, group, 2)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point images; reads every value."""
        check_batch(x, "B C H W")
        check_floating(x)
        check_finite(x)


@dataclass(frozen=True)
class Volume(Action):
    """Volumes `(B, C, D, H, W)` moved by groups of space; z runs along the slices `D`, y up, x right.

    Args:
        mode: `bilinear` (trilinear) or `nearest`.
        padding: what lies outside the volume: `zeros`, `border` or `reflection`.

    Example:
        >>> x = torch.rand(1, 1, 4, 4, 4)
        >>> inversion = -torch.eye(3)[None]
        >>> torch.equal(ls.actions.Volume()(inversion, x), x.flip(-3, -2, -1))
        True
    """

    mode: str = "bilinear"
    padding: str = "zeros"

    def __post_init__(self) -> None:
        check_mode(self.mode, self.padding)
        if self.mode == "bicubic":
            raise ValueError("mode: got 'bicubic' for volumes, must be bilinear or nearest")

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each volume warped by its own element."""
        return warp(x, g, self.mode, self.padding)

    def check(self, group: Group) -> None:
        """The group must act on space."""
        check_space(self, group, "space")
        check_size(self, group, 3)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point volumes; reads every value."""
        check_batch(x, "B C D H W")
        check_floating(x)
        check_finite(x)


@dataclass(frozen=True)
class LabelMap(Action):
    """Integer maps `(B, H, W)`, one class per pixel, moved like images by the nearest pixel.

    Args:
        fill: the class outside the map, such as the void class that the loss ignores.

    Example:
        >>> labels = torch.tensor([[[1, 2], [3, 4]]])
        >>> shift_right = torch.tensor([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
        >>> ls.actions.LabelMap(fill=255)(shift_right, labels)
        tensor([[[255,   1],
                 [255,   3]]])
    """

    fill: int

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each map read at the nearest pixel."""
        x = x.unsqueeze(1)
        moved = act_on_lattice(x, g)
        if moved is None:
            moved = nearest_sample(x, sampling_grid(g, x.shape[2:]), self.fill)
        return moved.squeeze(1)

    def check(self, group: Group) -> None:
        """The group must act on the plane."""
        check_space(self, group, "plane")
        check_size(self, group, 2)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be integer maps whose dtype can hold `fill`."""
        check_batch(x, "B H W")
        if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
            raise ValueError(f"x: got {x.dtype}, must be an integer dtype; convert labels with x.long()")
        limits = torch.iinfo(x.dtype)
        if not limits.min <= self.fill <= limits.max:
            raise ValueError(f"fill: {self.fill} does not fit {x.dtype}; convert labels with x.long()")
