"""GravitySystem: a star and planets under Newtonian gravity, whose symmetry is E(3), exactly.

Legend of axes: `B` trajectories, `N` bodies, `P` planets, `C` trajectories of one chunk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.dynamics._checks import check_count, check_system
from learnsym.data.dynamics._chunks import BLOCK
from learnsym.data.dynamics.orientation import AnyOrientation, Orientation
from learnsym.data.dynamics.system import PairwiseSystem
from learnsym.data.seeding import generator

STAR_MASS, PLANET_MASS, RADIUS = (1.0, 10.0), (0.01, 0.1), (0.1, 1.0)
SPEED_NOISE, SHIFT = 0.01, 20.0
STEPS = 100
"""From input to target: t = 0.1."""
FARTHEST = 2.0
"""Examples in which a body moves further are dropped and drawn anew."""


@dataclass(frozen=True, kw_only=True)
class GravitySystem(PairwiseSystem):
    """One star and planets near circular orbits in one plane, turned and moved in space.

        a_i = -sum_{j != i} m_j (x_i - x_j) / |x_i - x_j|³

    A state is `(N, 7)`: position, velocity, mass. Masses are log-uniform, 1 to 10 for the star and 0.01 to 0.1 for
    planets; planets lie uniformly in a ring of radius 0.1 to 1 and have the speed of a circular orbit, either way
    round, plus N(0, 0.01). Then bodies are shuffled, turned by `orientation`, and shifted by N(0, 20) and by `offset`.
    Close encounters, in which a body moves by more than 2, are drawn anew.

    Reference: Brehmer, de Haan, Behrends, Cohen, "Geometric algebra transformer" (2023), arXiv 2305.18415.

    Args:
        bodies: star and planets, at least 2.
        orientation: `AnyOrientation()`, or a narrow range such as `TurnedBy(0.0, 10.0)` to test far rotations.
        offset: added to all positions; (200, 0, 0) is the published shift of domain.
        dt: time step.
        bound: largest coordinate; beyond it a simulation has blown up.

    Raises:
        ValueError: for numbers out of range.

    Example:
        >>> system = ls.data.dynamics.GravitySystem()
        >>> data = system.dataset(5, seed=0)
        >>> data.x.shape, data.y.shape
        (torch.Size([5, 4, 7]), torch.Size([5, 4, 3]))
    """

    bodies: int = 4
    orientation: Orientation = AnyOrientation()  # noqa: RUF009 - immutable
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    dt: float = 1e-3
    bound: float = 1e5

    def __post_init__(self) -> None:
        check_system(self.bodies, self.dt, self.bound)
        if self.bodies < 2:
            raise ValueError(f"bodies: got {self.bodies}, must be at least 2: a star and a planet")

    @property
    def core(self) -> float:
        """No softening."""
        return 0.0

    def initial(self, count: int, seed: int = 0, device: torch.device | str = "cpu") -> Float[Tensor, "B N 7"]:
        """`count` states at time 0, float64; the first ones of a larger set are those of a smaller one.

        Raises:
            ValueError: when no example stays within reach, which needs a smaller time step.
        """
        check_count(count)
        slow: list[Tensor] = []
        while sum(map(len, slow)) < count:
            x = self._draw(generator(seed, 52, len(slow)))
            moved = (self.advance(x, STEPS) - x)[..., :3].norm(dim=-1).amax(1)
            slow.append(x[moved <= FARTHEST])
            if len(slow[-1]) == 0:
                raise ValueError(
                    f"dt: got {self.dt}, with which all {BLOCK} examples move by more than {FARTHEST:g}; 1e-3 is usual"
                )
        return torch.cat(slow)[:count].to(device)

    def dataset(self, count: int, seed: int = 0, device: torch.device | str = "cpu") -> Dataset:
        """States `(B, N, 7)` and the positions 100 steps later `(B, N, 3)`, in float32.

        Raises:
            SimulationBlewUp: when a coordinate is not finite or beyond `bound`.
            ValueError: for a count below 1.
        """
        x = self.initial(count, seed, device)
        y = self.future(x).float()
        return Dataset(x.float(), y, f"gravity{self.bodies}", on_input=self.cloud, on_output=PointCloud())

    def future(self, x: Float[Tensor, "B N 7"], steps: int = STEPS) -> Float[Tensor, "B N 3"]:
        """Positions `steps` time steps later, by default as far ahead as the targets of `dataset`."""
        return super().future(x, steps)

    def coupling(self, scalars: Float[Tensor, "1 N C"]) -> Float[Tensor, "N N C"]:
        """`-m_i m_j`."""
        return -scalars[0, :, None] * scalars[0]

    def accelerate_(
        self,
        force: Float[Tensor, "3 N C"],
        scalars: Float[Tensor, "1 N C"],
        x: Float[Tensor, "3 N C"],
        v: Float[Tensor, "3 N C"],
    ) -> None:
        """Divide by the mass."""
        force.div_(scalars)

    def _draw(self, random: torch.Generator) -> Float[Tensor, "B N 7"]:
        """A block of examples, those with close encounters among them."""
        planets = (BLOCK, self.bodies - 1)
        m = torch.cat([_log_uniform((BLOCK, 1), STAR_MASS, random), _log_uniform(planets, PLANET_MASS, random)], 1)
        x, v = _orbits(m[:, :1], planets, random)
        g = self.orientation.draw(BLOCK, random)
        shift = SHIFT * torch.randn(BLOCK, 1, 3, dtype=torch.float64, generator=random)
        state = torch.cat([x @ g.mT + shift + x.new_tensor(self.offset), v @ g.mT, m[..., None]], -1)
        order = torch.rand(m.shape, generator=random).argsort(1)
        return state.gather(1, order[..., None].expand_as(state))


def _orbits(
    star: Float[Tensor, "B 1"], planets: tuple[int, int], random: torch.Generator
) -> tuple[Float[Tensor, "B N 3"], Float[Tensor, "B N 3"]]:
    """Star at rest in the origin; planets in the xy plane with `v = ± e_z × x sqrt(M / r³)` and noise."""
    low, high = RADIUS[0] ** 2, RADIUS[1] ** 2
    r = (low + (high - low) * torch.rand(planets, dtype=torch.float64, generator=random)).sqrt()
    angle = 2 * math.pi * torch.rand(planets, dtype=torch.float64, generator=random)
    way = 2.0 * torch.randint(2, planets, generator=random) - 1.0
    speed = way * (star / r).sqrt()
    flat = torch.zeros_like(r)
    x = torch.stack([r * angle.cos(), r * angle.sin(), flat], -1)
    v = torch.stack([-speed * angle.sin(), speed * angle.cos(), flat], -1)
    v = v + SPEED_NOISE * torch.randn(v.shape, dtype=torch.float64, generator=random)
    rest = torch.zeros(len(x), 1, 3, dtype=torch.float64)
    return torch.cat([rest, x], 1), torch.cat([rest, v], 1)


def _log_uniform(shape: tuple[int, int], limits: tuple[float, float], random: torch.Generator) -> Tensor:
    low, high = math.log(limits[0]), math.log(limits[1])
    return (low + (high - low) * torch.rand(shape, dtype=torch.float64, generator=random)).exp()
