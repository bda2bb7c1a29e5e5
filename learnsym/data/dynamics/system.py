"""PairwiseSystem: what charged bodies, gravity and springs have in common: pairs, a time step, and how to march.

Legend of axes: `B` trajectories, `T` frames, `N` bodies, `F` numbers per body, `S` scalars per body, `C` trajectories
of one chunk.
"""

from __future__ import annotations

import abc

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from learnsym.actions import PointCloud
from learnsym.data.dynamics._chunks import padded, ranges
from learnsym.data.dynamics._pairs import PairBuffers
from learnsym.data.dynamics.blow_up import check_bounded

CHECKED = 100
"""Steps between two looks at the bounds."""


class PairwiseSystem(abc.ABC):
    """Bodies with forces between pairs along their line, marched by the semi-implicit Euler method.

        v <- v + dt a(x, v),    x <- x + dt v

    (the staggered leapfrog of the published generators, whose velocities are half a step behind). All trajectories of a
    batch advance at once, in float64, in chunks that stay in the cache. A trajectory does not depend on the others of
    its batch; devices differ in rounding, which chaos amplifies.
    """

    bodies: int
    dt: float
    bound: float
    """Largest coordinate; beyond it a simulation has blown up."""

    @property
    def cloud(self) -> PointCloud:
        """Layout of a state `(B, N, F)`: positions, velocities, and a charge, mass or hook that does not change."""
        return PointCloud(vectors=1, scalars=1)

    @property
    @abc.abstractmethod
    def core(self) -> float | None:
        """Added to squared distances under `1 / r³`; None when forces are linear."""

    @abc.abstractmethod
    def coupling(self, scalars: Float[Tensor, "S N C"]) -> Float[Tensor, "N N C"]:
        """Strength `c_ij` of each pair; positive repels."""

    @abc.abstractmethod
    def accelerate_(
        self,
        force: Float[Tensor, "3 N C"],
        scalars: Float[Tensor, "S N C"],
        x: Float[Tensor, "3 N C"],
        v: Float[Tensor, "3 N C"],
    ) -> None:
        """Turn the sum over pairs into accelerations, in place: fields, clamps, masses."""

    def advance(self, x: Float[Tensor, "B N F"], steps: int) -> Float[Tensor, "B N F"]:
        """States `steps` time steps later, in the dtype and on the device of `x`.

        Raises:
            SimulationBlewUp: when a coordinate is not finite or beyond `bound`.
            ValueError: for states that do not fit the system, or a negative number of steps.
        """
        return self.record(x, steps, max(steps, 1))[:, 0] if steps else x.clone()

    def future(self, x: Float[Tensor, "B N F"], steps: int) -> Float[Tensor, "B N 3"]:
        """Positions `steps` time steps later: the map whose symmetry a certificate states."""
        return self.advance(x, steps)[..., :3]

    def record(self, x: Float[Tensor, "B N F"], steps: int, every: int) -> Float[Tensor, "B T N F"]:
        """States after `every`, `2 every`, ... `steps` time steps.

        Raises:
            SimulationBlewUp: when a coordinate is not finite or beyond `bound`.
            ValueError: for states that do not fit the system, or counts out of range.
        """
        self._check(x, steps, every)
        spans = ranges(len(x), self.bodies, x.device)
        with tqdm(total=len(x) * steps, unit="step", unit_scale=True, disable=None, leave=False) as bar:
            return torch.cat([self._march(x[first:last], first, steps, every, bar) for first, last in spans])

    @torch.no_grad()
    def _march(self, x: Tensor, first: int, steps: int, every: int, bar: tqdm) -> Tensor:
        """One chunk: to trajectories last, step by step, and back."""
        count = len(x)
        filled = torch.cat([x, x[-1:].expand(padded(count) - count, -1, -1)])
        state = filled.permute(2, 1, 0).to(torch.float64).contiguous()
        v, scalars = state[3:6].clone(), state[6:]
        pairs = PairBuffers(state[:3], self.coupling(scalars), self.core)
        frames = []
        for step in range(1, steps + 1):
            force = pairs.sum_()
            self.accelerate_(force, scalars, pairs.x, v)
            v.add_(force, alpha=self.dt)
            pairs.x.add_(v, alpha=self.dt)
            if step % CHECKED == 0 or step == steps:
                check_bounded(pairs.x[..., :count], self.bound, first, step, self.dt)
                bar.update(count * (step % CHECKED or CHECKED))
            if step % every == 0:
                frames.append(torch.cat([pairs.x, v, scalars])[..., :count].permute(2, 1, 0).to(x.dtype))
        return torch.stack(frames, 1)

    def _check(self, x: Tensor, steps: int, every: int) -> None:
        if x.ndim != 3 or len(x) == 0 or x.shape[1:] != (self.bodies, self.cloud.features):
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, must be (B, {self.bodies}, {self.cloud.features}) with B >= 1: "
                "positions, velocities and scalars of each body"
            )
        if every < 1 or steps < every:
            raise ValueError(f"steps, every: got {steps}, {every}, must be at least 1 and `steps` no less than `every`")
