"""Point clouds with typed features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_batch, check_finite, check_floating, check_size, check_space
from learnsym.actions._linear import apply_linear
from learnsym.groups import Group

SPACE_OF_DIM = {2: "plane", 3: "space", 4: "spacetime"}


@dataclass(frozen=True)
class PointCloud(Action):
    """Points `(B, N, dim (1 + vectors) + scalars)`: positions first, then vectors, then scalars.

    Of `g = (A, t)` positions take all, `p -> A p + t`, vectors (velocities, forces) the linear part, `v -> A v`, and
    scalars (masses, charges) nothing. Four-vectors under the Lorentz group are points with `dim=4`, time first.

    Args:
        vectors: number of vectors per point beside the position.
        scalars: number of scalars per point.
        dim: dimension of the points: 2 (plane), 3 (space) or 4 (spacetime).

    Example:
        >>> quarter_turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
        >>> ls.actions.PointCloud(scalars=1, dim=2)(quarter_turn, torch.tensor([[[1.0, 0.0, 7.0]]]))
        tensor([[[0., 1., 7.]]])
    """

    vectors: int = 0
    scalars: int = 0
    dim: int = 3

    def __post_init__(self) -> None:
        for name in ("vectors", "scalars"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be >= 0")
        if self.dim not in SPACE_OF_DIM:
            raise ValueError(f"dim: got {self.dim}, must be 2 (plane), 3 (space) or 4 (spacetime)")

    @property
    def features(self) -> int:
        """Numbers per point."""
        return self.dim * (1 + self.vectors) + self.scalars

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each cloud moved by its own element."""
        d, k = self.dim, self.dim * (1 + self.vectors)
        moved = apply_linear(g[..., :d, :d], x[..., :k].unflatten(-1, (-1, d)))
        positions, vectors = moved[..., 0, :], moved[..., 1:, :]
        if g.shape[-1] == d + 1:
            positions = positions + g[..., None, :d, d]
        return torch.cat([positions.to(x.dtype), vectors.flatten(-2).to(x.dtype), x[..., k:]], -1)

    def check(self, group: Group) -> None:
        """The group must act on the plane, space or spacetime, as `dim` says."""
        check_space(self, group, SPACE_OF_DIM[self.dim])
        check_size(self, group, self.dim)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point clouds with as many features as the types need; reads every value."""
        check_batch(x, "B N F")
        check_floating(x)
        if x.shape[-1] != self.features:
            raise ValueError(
                f"x: got {x.shape[-1]} numbers per point, must be {self.features} = {self.dim} (1 + {self.vectors}) + "
                f"{self.scalars}; set vectors and scalars to what the points carry"
            )
        check_finite(x)
