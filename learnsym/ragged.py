"""Clouds of different numbers of points in one batch: padded with a mask, and flat with an index of the cloud.

Legend of axes: `B` clouds, `N` points of the largest one, `P` points of all together, `F` numbers per point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from learnsym.parts import Part, Whole, mapped


@dataclass(frozen=True, eq=False)
class Ragged:
    """Clouds of different sizes, such as molecules: `x[b, i]` is a point of cloud `b` where `mask[b, i]`, else padding.

    What stands in the padding changes nothing: networks of points give each cloud what they give it alone. As a
    structure of tensors with one row a cloud it goes wherever structured data go; `symmetry.at(input="x")` moves it.

    Args:
        x: what points carry, `(B, N, F)`.
        mask: which points there are, `(B, N)`.
        numbers: atomic numbers `(B, N)`, for networks that embed them; of padding they are not read.

    Raises:
        ValueError: when shapes do not fit together, a mask is no mask, or a cloud has no points.

    Example:
        >>> molecules = ls.data.Ragged.of([torch.rand(3, 3), torch.rand(5, 3)])
        >>> molecules.x.shape, molecules.sizes
        (torch.Size([2, 5, 3]), tensor([3, 5]))
        >>> flat, index = molecules.flat(), molecules.index
        >>> flat.shape, index
        (torch.Size([8, 3]), tensor([0, 0, 0, 1, 1, 1, 1, 1]))
        >>> bool((ls.data.Ragged.of_flat(flat, index).x == molecules.x).all())
        True
    """

    x: Shaped[Tensor, "B N *F"]
    mask: Shaped[Tensor, "..."]
    numbers: Shaped[Tensor, "..."] | None = None

    def __post_init__(self) -> None:
        if self.mask.dtype != torch.bool:
            raise ValueError(f"mask: got {self.mask.dtype}, must be bool, True for points; write mask.bool()")
        _check_fits("mask", self.mask, self.x)
        if self.numbers is not None:
            _check_fits("numbers", self.numbers, self.x)
        empty = (~self.mask.any(1)).nonzero()
        if len(empty):
            raise ValueError(f"mask: cloud {int(empty[0])} has no points; leave out clouds without any")

    @staticmethod
    def of(clouds: Sequence[Shaped[Tensor, "_ *F"]], numbers: Sequence[Int[Tensor, "_"]] | None = None) -> Ragged:
        """Clouds one by one, padded with zeros; their atomic numbers, where they have any.

        Raises:
            ValueError: for no clouds, one without points, or as many numbers as there are no points.
        """
        if not clouds or any(len(cloud) == 0 for cloud in clouds):
            raise ValueError("clouds: got none, or one without points; give at least one, each of at least one point")
        if numbers is not None and [*map(len, numbers)] != [*map(len, clouds)]:
            raise ValueError(
                f"numbers: got {[*map(len, numbers)]} for clouds of {[*map(len, clouds)]} points; give one a point"
            )
        sizes = torch.tensor([*map(len, clouds)], device=clouds[0].device)
        mask = torch.arange(int(sizes.max()), device=sizes.device) < sizes[:, None]
        return Ragged(pad_sequence([*clouds], True), mask, None if numbers is None else pad_sequence([*numbers], True))

    @staticmethod
    def of_flat(x: Shaped[Tensor, "_ *F"], index: Int[Tensor, "_"], numbers: Int[Tensor, "_"] | None = None) -> Ragged:
        """All points in one row with the index of the cloud of each, as `batch` of PyTorch Geometric.

        Raises:
            ValueError: when there is not one index a point, or they do not count clouds from 0 on in order.
        """
        if index.shape != x.shape[:1] or (numbers is not None and numbers.shape != x.shape[:1]):
            raise ValueError(f"index: got shape {tuple(index.shape)} for {len(x)} points, must be one a point")
        steps = index.diff()
        if len(index) == 0 or index[0] != 0 or bool(((steps < 0) | (steps > 1)).any()):
            raise ValueError("index: must be 0 for the points of the first cloud, then 1, without gaps; sort points")
        sizes = index.bincount().tolist()
        return Ragged.of(x.split(sizes), None if numbers is None else numbers.split(sizes))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def sizes(self) -> Int[Tensor, "B"]:
        """Points of each cloud."""
        return self.mask.sum(1)

    @property
    def index(self) -> Int[Tensor, "P"]:
        """The cloud of each point of `flat`."""
        return self.mask.nonzero()[:, 0]

    @property
    def present(self) -> Shaped[Tensor, "B N *F"]:
        """`x` with 0 for padding, whatever stands there."""
        return torch.where(self._mask_of(self.x), self.x, 0)

    def flat(self, y: Shaped[Tensor, "_ _ *K"] | None = None) -> Shaped[Tensor, "P *K"]:
        """All points in one row, cloud after cloud; of `y`, such as outputs, in place of `x`."""
        y = self.x if y is None else y
        _check_fits("y", y, self.mask)
        return y[self.mask]

    def clouds(self, y: Shaped[Tensor, "_ _ *K"] | None = None) -> list[Tensor]:
        """Clouds one by one, without padding; of `y`, such as outputs, in place of `x`."""
        return [*self.flat(y).split(self.sizes.tolist())]

    def carrying(self, x: Shaped[Tensor, "B N *K"]) -> Ragged:
        """The same clouds, whose points carry something else."""
        return Part("x").put(self, x)

    def mean(self, y: Float[Tensor, "B N *K"]) -> Float[Tensor, "B *K"]:
        """The mean over the points of each cloud."""
        return torch.where(self._mask_of(y), y, 0).sum(1) / self.sizes.reshape(-1, *[1] * (y.ndim - 2))

    def _mask_of(self, y: Tensor) -> Tensor:
        return self.mask.reshape(*self.mask.shape, *[1] * (y.ndim - 2))


def points_in(x: Tensor | Ragged) -> Tensor:
    """What points carry."""
    return x if isinstance(x, Tensor) else x.x


def with_points(x: Tensor | Ragged, points: Tensor) -> Tensor | Ragged:
    """The same clouds, whose points carry something else."""
    return points if isinstance(x, Tensor) else x.carrying(points)


def present_in(x: Tensor | Ragged, y: Tensor) -> Tensor:
    """Values at points that there are, in one row where there are others."""
    return y if isinstance(x, Tensor) else x.flat(y)


def mask_of(whole: Whole) -> Bool[Tensor, "B N"] | None:
    """The mask of the clouds that a whole is or holds, the first where there are several; None without any."""
    found: list[Ragged] = []
    mapped(lambda clouds: found.append(clouds) or clouds, whole, Ragged)
    return found[0].mask if found else None


def _check_fits(name: str, mask: Tensor, x: Tensor) -> None:
    if mask.ndim < 2 or mask.shape[:2] != x.shape[:2]:
        raise ValueError(
            f"{name}: got shape {tuple(mask.shape)}, must begin with {tuple(x.shape[:2])}, clouds and points of x; "
            "give one row a cloud and one column a point"
        )
