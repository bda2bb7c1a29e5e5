"""WithSurroundings: tokens that know where the floor is and how gravity points.

Legend of axes: `B` scenes, `M` tokens, `F` numbers per token.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.rigid_bodies.scenes import Poses, Scenes, Surroundings
from learnsym.data.rigid_bodies.tokens import Tokens
from learnsym.data.rigid_bodies.world import GRAVITY, World


@dataclass(frozen=True)
class WithSurroundings(Tokens):
    """Tokens that also carry gravity (over 9.81 m/s²), the normal of the floor, and their height above it.

    Bodies, floor and gravity moved together have the same future, moved: E(3) holds again, and an E(3)-equivariant
    network loses nothing. As scenes all have the same floor, the law of these data is that of the floor still: a
    network may break the symmetry by reading the height from `z`. Vectors and height are the last of their kind.

    Args:
        tokens: the layout without them.

    Example:
        >>> known = ls.data.rigid_bodies.WithSurroundings(ls.data.rigid_bodies.SurfacePoints())
        >>> known.on_input(bodies=4)
        PointCloud(vectors=4, scalars=14, dim=3)
    """

    tokens: Tokens

    def on_input(self, bodies: int) -> PointCloud:
        """Two vectors and a scalar more."""
        own = self.tokens.on_input(bodies)
        return PointCloud(own.vectors + 2, own.scalars + 1)

    @property
    def on_output(self) -> PointCloud:
        """As without."""
        return self.tokens.on_output

    def encode(self, scenes: Scenes, world: World) -> Float[Tensor, "B M F"]:
        """Clouds, float64.

        Raises:
            ValueError: for a world without a floor.
        """
        if not world.floor:
            raise ValueError("tokens: got WithSurroundings without a floor; take the tokens alone, or a floor")
        x = self.tokens.encode(scenes, world)
        own = self.tokens.on_input(scenes.kind.shape[1])
        positions, vectors, scalars = own.split(x)
        gravity = torch.tensor(world.gravity, dtype=x.dtype) / GRAVITY
        normal = torch.tensor([0.0, 0.0, 1.0], dtype=x.dtype)
        extra = torch.stack([gravity, normal]).expand(*x.shape[:2], 2, 3)
        return own.join(positions, torch.cat([vectors, extra], 2), torch.cat([scalars, positions[..., 2:]], -1))

    def decode(self, x: Float[Tensor, "B M F"], bodies: int) -> Scenes:
        """The scenes that clouds mean, wherever their floor is."""
        positions, vectors, scalars = self.on_input(bodies).split(x)
        own = self.tokens.on_input(bodies)
        return self.tokens.decode(own.join(positions, vectors[:, :, :-2], scalars[..., :-1]), bodies)

    def targets(self, scenes: Scenes, future: Poses) -> Float[Tensor, "B M F"]:
        """As without."""
        return self.tokens.targets(scenes, future)

    def surroundings(self, x: Float[Tensor, "B M F"], world: World) -> Surroundings:
        """Gravity and floor as the clouds say."""
        scalars = self._scalars(x)
        gravity, normal = x[..., -scalars - 6 : -scalars - 3].mean(1), x[..., -scalars - 3 : -scalars].mean(1)
        normal = normal / normal.norm(dim=-1, keepdim=True)
        offset = (x[..., :3] @ normal[..., None]).squeeze(-1) - x[..., -1]
        plane = torch.cat([normal, offset.mean(1, keepdim=True)], -1)
        return Surroundings(GRAVITY * gravity.double().numpy(), plane.double().numpy().astype(np.float64))

    def _scalars(self, x: Tensor) -> int:
        """Number of scalars of a token, which follow the vectors."""
        return x.shape[-1] - 3 * (1 + self.on_input(1).vectors)
