"""ChargedSystem: the charged N-body benchmark, with its clamp and its fields as parts that can be exchanged.

Legend of axes: `B` trajectories, `T` frames, `N` bodies, `C` trajectories of one chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.dynamics._checks import check_system
from learnsym.data.dynamics._chunks import BLOCK
from learnsym.data.dynamics.clamps import Clamp, ComponentClamp
from learnsym.data.dynamics.fields import Field, NoField
from learnsym.data.dynamics.frames import FramedSystem

SPEED = 0.5
"""Initial speed of every body."""


@dataclass(frozen=True, kw_only=True)
class ChargedSystem(FramedSystem):
    """Bodies of unit mass and charges ±1 that repel and attract each other.

        F_i = clamp(sum_{j != i} q_i q_j (x_i - x_j) / (|x_i - x_j|² + ε)^(3/2) + field(q_i, x_i, v_i))

    A state is `(N, 7)`: position, velocity, charge. Initially charges are ±1 with equal odds, positions
    `N(0, 1) (N / 5)^(1/3)`, velocities of length 0.5 in a uniform direction; nothing confines the bodies.

    With the published clamp of single components the law has the 48 signed permutations and the translations, not the
    rotations: `symmetry_certificate` tells the least error of a rotation-equivariant predictor.

    Reference: Kipf et al. (2018), arXiv 1802.04687; in three dimensions Satorras, Hoogeboom, Welling, "E(n) equivariant
    graph neural networks" (2021), arXiv 2102.09844; softening and fields of Du et al. (2022), arXiv 2110.14811.

    Args:
        bodies: `N`.
        clamp: `ComponentClamp()` as published, `NormClamp()` (rotation-equivariant) or `NoClamp()`.
        field: `NoField()`, `UniformField()`, `LorentzField()` or any with a method `force(q, x, v)`.
        softening: `ε`.
        dt: time step.
        bound: largest coordinate; beyond it a simulation has blown up.

    Raises:
        ValueError: for numbers out of range.

    Example:
        >>> system = ls.data.dynamics.ChargedSystem(bodies=3)
        >>> x = system.initial(2, seed=0)
        >>> system.advance(x, 10).shape
        torch.Size([2, 3, 7])
        >>> system.trajectories(2, seed=0, frames=4).shape
        torch.Size([2, 4, 3, 7])
    """

    bodies: int = 5
    clamp: Clamp = ComponentClamp()  # noqa: RUF009 - immutable
    field: Field = NoField()  # noqa: RUF009 - immutable
    softening: float = 1e-6
    dt: float = 1e-3
    bound: float = 1e5

    def __post_init__(self) -> None:
        check_system(self.bodies, self.dt, self.bound)
        if self.softening < 0:
            raise ValueError(f"softening: got {self.softening}, must be >= 0; 1e-6 is usual")

    @property
    def core(self) -> float:
        """`ε`."""
        return self.softening

    @property
    def title(self) -> str:
        """Kind and number of bodies."""
        return f"nbody{self.bodies}"

    @property
    def stream(self) -> int:
        """The stream of random numbers for charges, positions and velocities."""
        return 51

    def coupling(self, scalars: Float[Tensor, "1 N C"]) -> Float[Tensor, "N N C"]:
        """`q_i q_j`."""
        return scalars[0, :, None] * scalars[0]

    def accelerate_(
        self,
        force: Float[Tensor, "3 N C"],
        scalars: Float[Tensor, "1 N C"],
        x: Float[Tensor, "3 N C"],
        v: Float[Tensor, "3 N C"],
    ) -> None:
        """Add the field, then clamp."""
        outer = self.field.force(scalars[0], x, v)
        if outer is not None:
            force.add_(outer)
        self.clamp.limit_(force)

    def draw(self, generator: torch.Generator) -> Tensor:
        """One block of states at time 0."""
        shape = (BLOCK, self.bodies, 3)
        charges = 2.0 * torch.randint(2, (*shape[:2], 1), generator=generator) - 1.0
        x = torch.randn(shape, dtype=torch.float64, generator=generator) * (self.bodies / 5) ** (1 / 3)
        v = torch.randn(shape, dtype=torch.float64, generator=generator)
        return torch.cat([x, SPEED * v / v.norm(dim=-1, keepdim=True), charges.double()], -1)
