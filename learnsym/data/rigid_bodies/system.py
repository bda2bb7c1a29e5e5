"""RigidBodies: a benchmark of bodies that collide, with what networks see of them.

Legend of axes: `B` scenes, `N` bodies, `M` tokens, `F`, `O` numbers per token.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.dynamics._checks import check_count
from learnsym.data.rigid_bodies import store
from learnsym.data.rigid_bodies.engine import engine
from learnsym.data.rigid_bodies.generation import (
    drawn_scene,
    drawn_with_future,
    drawn_with_futures,
    futures,
    usable_threads,
)
from learnsym.data.rigid_bodies.scenes import Poses, Scenes, stack
from learnsym.data.rigid_bodies.surface_points import SurfacePoints
from learnsym.data.rigid_bodies.tokens import Tokens
from learnsym.data.rigid_bodies.world import World

ABOUT = "system.json"


@dataclass(frozen=True, kw_only=True)
class RigidBodies:
    """Spheres, boxes, capsules, cylinders and ellipsoids that are thrown, collide, and are seen `duration` later.

    Half lengths are 0.15 to 0.35 m, masses go with volumes. Without a floor bodies fly from a shell about the origin
    towards it; over a floor they are thrown from above it. MuJoCo integrates them with soft contacts, sliding friction
    of 0.5 and a restitution of 0.45. In mean squares per coordinate, bodies move by 0.29 m² (free) and 0.24 m²
    (floor); a quarter of the time step changes that by 3.5e-5 and 4.9e-4 m², another frame of coordinates by 1e-13 and
    2e-8 m², initial positions moved by a micrometre by 2e-9 and 4e-7 m².

    Simulations need the extra `sim` and are kept in the data folder, by version, system and seed; they go on where they
    stopped.

    Reference: the benchmark of Brehmer, Behrends, de Haan, Cohen, "Does equivariance matter at scale?" (2024), arXiv
    2410.23179, has rigid bodies that interact; this one is our own.

    Args:
        world: gravity and floor.
        tokens: what networks see: `SurfacePoints()`, `BodyFrames()`, either within `WithSurroundings`.
        bodies: `N`.
        duration: time from input to target in s.
        timestep: of the integrator in s.

    Raises:
        ValueError: for numbers out of range.

    Example:
        >>> system = ls.data.rigid_bodies.RigidBodies(bodies=3)
        >>> system.initial(2).shape, system.on_input
        (torch.Size([2, 18, 21]), PointCloud(vectors=2, scalars=12, dim=3))
    """

    world: World = World()  # noqa: RUF009 - immutable
    tokens: Tokens = SurfacePoints()  # noqa: RUF009 - immutable
    bodies: int = 4
    duration: float = 0.6
    timestep: float = 1e-3

    def __post_init__(self) -> None:
        if self.bodies < 1:
            raise ValueError(f"bodies: got {self.bodies}, must be at least 1; 3 to 5 are usual")
        if not 0 < self.timestep <= self.duration < math.inf:
            raise ValueError(
                f"duration, timestep: got {self.duration}, {self.timestep}, must be positive and finite, with the time "
                "step no longer than the duration; 0.6 and 1e-3 are usual"
            )

    @property
    def on_input(self) -> PointCloud:
        """What a token carries."""
        return self.tokens.on_input(self.bodies)

    @property
    def on_output(self) -> PointCloud:
        """What is predicted of a token."""
        return self.tokens.on_output

    @property
    def title(self) -> str:
        """Name of the folder of its simulations: tokens do not matter."""
        physics = {name: value for name, value in asdict(self).items() if name != "tokens"}
        digest = hashlib.sha256(json.dumps(physics, sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.world.name}{self.bodies}-{digest}"

    @property
    def steps(self) -> int:
        """Time steps from input to target."""
        return round(self.duration / self.timestep)

    def initial(self, count: int, seed: int = 0) -> Float[Tensor, "B M F"]:
        """`count` clouds, float64; the first ones of a larger set are those of a smaller one. Needs no MuJoCo.

        Raises:
            ValueError: for a count below 1, or bodies that do not fit.
        """
        check_count(count)
        scenes = stack([drawn_scene(self.world, self.bodies, seed, index) for index in range(count)])
        return self.tokens.encode(scenes, self.world)

    def future(self, x: Float[Tensor, "B M F"], threads: int | None = None) -> Float[Tensor, "B M O"]:
        """What becomes of clouds after `duration`, float64: the map whose symmetry a certificate states.

        Raises:
            SimulationBlewUp: when a coordinate or velocity is not finite or too large.
            ValueError: for clouds that do not fit the system, or when MuJoCo is missing.
        """
        self._check(x)
        scenes, around = self.tokens.decode(x, self.bodies), self.tokens.surroundings(x, self.world)
        after = futures(scenes, around, self.steps, self.timestep, usable_threads(threads))
        return self.tokens.targets(scenes, after)

    def simulated(self, count: int, seed: int = 0, threads: int | None = None) -> tuple[Scenes, Poses]:
        """The first `count` scenes of a seed and what becomes of them, from the data folder as far as they are there.

        Raises:
            ValueError: for a count below 1, or when scenes are missing and so is MuJoCo, or it is of another version
                than the one that simulated the others.
        """
        check_count(count)
        width, chunks = usable_threads(threads), range(math.ceil(count / store.CHUNK))
        parts = [store.read_chunk(self.title, seed, k) or self._simulate(seed, k, width) for k in chunks]
        scenes, after = (zip(*column, strict=True) for column in zip(*parts, strict=True))
        return (
            Scenes(*(np.concatenate(part)[:count] for part in scenes)),
            Poses(*(np.concatenate(part)[:count] for part in after)),
        )

    def dataset(self, count: int, seed: int = 0, threads: int | None = None) -> Dataset:
        """Clouds `(B, M, F)` and what becomes of them `(B, M, O)`, float32; see `simulated`."""
        scenes, after = self.simulated(count, seed, threads)
        x, y = self.tokens.encode(scenes, self.world).float(), self.tokens.targets(scenes, after).float()
        return Dataset(x, y, self.title, on_input=self.on_input, on_output=self.on_output)

    def _simulate(self, seed: int, number: int, threads: int) -> tuple[Scenes, Poses]:
        """One chunk, which is kept."""
        check_engine(self)
        make = partial(drawn_with_future, self.world, self.bodies, seed, steps=self.steps, timestep=self.timestep)
        simulated = drawn_with_futures(make, range(number * store.CHUNK, (number + 1) * store.CHUNK), threads)
        store.write_chunk(self.title, seed, number, *simulated)
        return simulated

    def _check(self, x: Tensor) -> None:
        tokens, features = self.initial(1).shape[1:] if len(x) else (0, 0)
        if x.shape[1:] != (tokens, features):
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, must be (B, {tokens}, {features}) with B >= 1: {self.on_input}"
            )


def check_engine(system: RigidBodies) -> None:
    """All scenes of a system come from one version of MuJoCo, which is written beside them.

    Raises:
        ValueError: when MuJoCo is missing, or of another version.
    """
    version = engine().__version__
    known = store.read_json(system.title, ABOUT)
    if known is None:
        store.write_json(system.title, ABOUT, {**asdict(replace(system, tokens=SurfacePoints())), "mujoco": version})
    elif known["mujoco"] != version:
        raise ValueError(
            f"mujoco: is {version}, but other scenes of {system.title} were simulated by {known['mujoco']}; install "
            f"that version, or delete {store.locate(system.title, ABOUT)} and the files beside it"
        )
