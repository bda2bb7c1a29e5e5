"""Point clouds with typed features.

Legend of axes: `B` clouds, `N` points, `F` numbers per point, `V` vectors, `S` scalars, `d` dimension of space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_batch, check_finite, check_floating, check_size, check_space
from learnsym.actions._linear import apply_linear
from learnsym.groups import Group

SPACE_OF_DIM = {1: "line", 2: "plane", 3: "space", 4: "spacetime"}


class PointParts(NamedTuple):
    """What points carry, by type."""

    positions: Float[Tensor, "B N d"]
    vectors: Float[Tensor, "B N V d"]
    scalars: Float[Tensor, "B N S"]


class VectorParts(NamedTuple):
    """What points carry beside their positions, by type."""

    vectors: Float[Tensor, "B N V d"]
    scalars: Float[Tensor, "B N S"]


@dataclass(frozen=True)
class PointCloud(Action):
    """Points `(B, N, dim (1 + vectors) + scalars)`: positions first, then vectors, then scalars.

    Of `g = (A, t)` positions take all, `p -> A p + t`, vectors (velocities, forces) the linear part, `v -> A v`, and
    scalars (masses, charges) nothing. Four-vectors under the Lorentz group are points with `dim=4`, time first.

    Args:
        vectors: number of vectors per point beside the position.
        scalars: number of scalars per point.
        dim: dimension of the points: 1 (line), 2 (plane), 3 (space) or 4 (spacetime).

    Example:
        >>> quarter_turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
        >>> ls.actions.PointCloud(scalars=1, dim=2)(quarter_turn, torch.tensor([[[1.0, 0.0, 7.0]]]))
        tensor([[[0., 1., 7.]]])
    """

    vectors: int = 0
    scalars: int = 0
    dim: int = 3

    def __post_init__(self) -> None:
        _check_sizes(self.vectors, self.scalars, self.dim)

    @property
    def features(self) -> int:
        """Numbers per point."""
        return self.dim * (1 + self.vectors) + self.scalars

    def split(self, x: Float[Tensor, "B N F"]) -> PointParts:
        """Positions, vectors and scalars of each point.

        Example:
            >>> cloud = ls.actions.PointCloud(vectors=1, scalars=1)
            >>> [tuple(part.shape) for part in cloud.split(torch.rand(2, 5, 7))]
            [(2, 5, 3), (2, 5, 1, 3), (2, 5, 1)]
        """
        check_features(self, x)
        positions, vectors, scalars = x.split([self.dim, self.dim * self.vectors, self.scalars], -1)
        return PointParts(positions, vectors.unflatten(-1, (self.vectors, self.dim)), scalars)

    def join(
        self,
        positions: Float[Tensor, "B N d"],
        vectors: Float[Tensor, "B N V d"],
        scalars: Float[Tensor, "B N S"],
    ) -> Float[Tensor, "B N F"]:
        """The inverse of `split`."""
        return torch.cat([positions, vectors.flatten(-2), scalars], -1)

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each cloud moved by its own element."""
        check_features(self, x)
        d, k = self.dim, self.dim * (1 + self.vectors)
        moved = apply_linear(g[..., :d, :d], x[..., :k].unflatten(-1, (-1, d)))
        positions, vectors = moved[..., 0, :], moved[..., 1:, :]
        if g.shape[-1] == d + 1:
            positions = positions + g[..., None, :d, d]
        return torch.cat([positions.to(x.dtype), vectors.flatten(-2).to(x.dtype), x[..., k:]], -1)

    def check(self, group: Group) -> None:
        """The group must act on the line, plane, space or spacetime, as `dim` says."""
        check_space(self, group, SPACE_OF_DIM[self.dim])
        check_size(self, group, self.dim)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point clouds with as many features as the types need; reads every value."""
        check_batch(x, "B N F")
        check_floating(x)
        check_features(self, x)
        check_finite(x)


@dataclass(frozen=True)
class PointVectors(Action):
    """Vectors and scalars of points without their positions `(B, N, dim vectors + scalars)`, such as forces.

    Of `g = (A, t)` vectors take the linear part, `v -> A v`, and scalars nothing: a translation leaves all in place.

    Args:
        vectors: number of vectors per point.
        scalars: number of scalars per point.
        dim: dimension of the vectors: 1 (line), 2 (plane), 3 (space) or 4 (spacetime).

    Example:
        >>> quarter_turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
        >>> ls.actions.PointVectors(dim=2)(quarter_turn, torch.tensor([[[1.0, 0.0]]]))
        tensor([[[0., 1.]]])
    """

    vectors: int = 1
    scalars: int = 0
    dim: int = 3

    def __post_init__(self) -> None:
        _check_sizes(self.vectors, self.scalars, self.dim)

    @property
    def features(self) -> int:
        """Numbers per point."""
        return self.dim * self.vectors + self.scalars

    def split(self, x: Float[Tensor, "B N F"]) -> VectorParts:
        """Vectors and scalars of each point."""
        check_features(self, x)
        vectors, scalars = x.split([self.dim * self.vectors, self.scalars], -1)
        return VectorParts(vectors.unflatten(-1, (self.vectors, self.dim)), scalars)

    def join(self, vectors: Float[Tensor, "B N V d"], scalars: Float[Tensor, "B N S"]) -> Float[Tensor, "B N F"]:
        """The inverse of `split`."""
        return torch.cat([vectors.flatten(-2), scalars], -1)

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """The vectors of each cloud turned by its own element."""
        vectors, scalars = self.split(x)
        moved = apply_linear(g[..., : self.dim, : self.dim], vectors)
        return self.join(moved.to(x.dtype), scalars)

    def check(self, group: Group) -> None:
        """The group must act on the line, plane, space or spacetime, as `dim` says."""
        check_space(self, group, SPACE_OF_DIM[self.dim])
        check_size(self, group, self.dim)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point features as the types say; reads every value."""
        check_batch(x, "B N F")
        check_floating(x)
        check_features(self, x)
        check_finite(x)


def check_features(types: PointCloud | PointVectors, x: Tensor) -> None:
    """Points must carry as many numbers as their types need."""
    if x.ndim != 3:
        raise ValueError(
            f"x: got shape {tuple(x.shape)}, must be (B, N, {types.features}) for {types}; images are moved by groups "
            "of the plane, such as SO2, and the action Image"
        )
    if x.shape[-1] != types.features:
        raise ValueError(
            f"x: got {x.shape[-1]} numbers per point, must be {types.features} for {types}; set vectors and scalars to "
            "what the points carry"
        )


def _check_sizes(vectors: int, scalars: int, dim: int) -> None:
    for name, value in (("vectors", vectors), ("scalars", scalars)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name}: got {value!r}, must be a whole number >= 0; 0 for none")
    if dim not in SPACE_OF_DIM:
        raise ValueError(f"dim: got {dim}, must be 1 (line), 2 (plane), 3 (space) or 4 (spacetime)")
