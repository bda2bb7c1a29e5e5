"""ChargedSystem: the charged N-body benchmark, with its clamp and its fields as parts that can be exchanged.

Legend of axes: `B` trajectories, `T` frames, `N` bodies, `C` trajectories of one chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.dynamics._checks import check_count, check_system
from learnsym.data.dynamics._chunks import BLOCK, draw_blocks
from learnsym.data.dynamics.clamps import Clamp, ComponentClamp
from learnsym.data.dynamics.fields import Field, NoField
from learnsym.data.dynamics.frames import AHEAD, EVERY, FRAMES, dataset_of_frames
from learnsym.data.dynamics.system import PairwiseSystem

SPEED = 0.5
"""Initial speed of every body."""


@dataclass(frozen=True, kw_only=True)
class ChargedSystem(PairwiseSystem):
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
    def cloud(self) -> PointCloud:
        """Position, velocity, charge."""
        return PointCloud(vectors=1, scalars=1)

    @property
    def core(self) -> float:
        """`ε`."""
        return self.softening

    def initial(self, count: int, seed: int = 0, device: torch.device | str = "cpu") -> Float[Tensor, "B N 7"]:
        """`count` states at time 0, float64; the first ones of a larger set are those of a smaller one."""
        check_count(count)
        return draw_blocks(count, self._draw, seed, 51).to(device)

    def trajectories(
        self, count: int, seed: int = 0, frames: int = FRAMES, device: torch.device | str = "cpu"
    ) -> Float[Tensor, "B T N 7"]:
        """States every 100 steps, the first after 100: frame `k` is at time `0.1 (k + 1)`.

        Raises:
            SimulationBlewUp: when a coordinate is not finite or beyond `bound`.
            ValueError: for counts below 1.
        """
        check_count(frames, "frames")
        return self.record(self.initial(count, seed, device), frames * EVERY, EVERY)

    def dataset(self, count: int, seed: int = 0, device: torch.device | str = "cpu") -> Dataset:
        """Frame 30 `(B, N, 7)` as input and the positions of frame 40 `(B, N, 3)`, 1000 steps later, as target.

        Raises:
            SimulationBlewUp: when a coordinate is not finite or beyond `bound`.
            ValueError: for a count below 1.

        Example:
            >>> ls.data.dynamics.ChargedSystem(bodies=2).dataset(4).in_shape
            (2, 7)
        """
        return dataset_of_frames(self, self.initial(count, seed, device), f"nbody{self.bodies}")

    def future(self, x: Float[Tensor, "B N 7"], steps: int = AHEAD) -> Float[Tensor, "B N 3"]:
        """Positions `steps` time steps later, by default as far ahead as the targets of `dataset`."""
        return super().future(x, steps)

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

    def _draw(self, generator: torch.Generator) -> Tensor:
        shape = (BLOCK, self.bodies, 3)
        charges = 2.0 * torch.randint(2, (*shape[:2], 1), generator=generator) - 1.0
        x = torch.randn(shape, dtype=torch.float64, generator=generator) * (self.bodies / 5) ** (1 / 3)
        v = torch.randn(shape, dtype=torch.float64, generator=generator)
        return torch.cat([x, SPEED * v / v.norm(dim=-1, keepdim=True), charges.double()], -1)
