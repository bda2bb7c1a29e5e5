"""Frames of the published N-body data, and the pair of them that makes an example.

Legend of axes: `B` trajectories, `T` frames, `N` bodies.
"""

from __future__ import annotations

import abc

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.dynamics._checks import check_count
from learnsym.data.dynamics._chunks import draw_blocks
from learnsym.data.dynamics.system import PairwiseSystem

EVERY = 100
"""Steps from frame to frame."""
FRAMES = 49
"""Frames of a trajectory of 5000 steps."""
INPUT_FRAME, TARGET_FRAME = 30, 40
AHEAD = (TARGET_FRAME - INPUT_FRAME) * EVERY
"""Steps from input to target."""


class FramedSystem(PairwiseSystem):
    """A system that is recorded every 100 steps, and of which frame 40 is predicted from frame 30."""

    @property
    @abc.abstractmethod
    def title(self) -> str:
        """What data sets of it are called."""

    @property
    @abc.abstractmethod
    def stream(self) -> int:
        """Tells the random numbers of this kind of system from those of others."""

    @abc.abstractmethod
    def draw(self, generator: torch.Generator) -> Tensor:
        """One block of states at time 0."""

    def initial(self, count: int, seed: int = 0, device: torch.device | str = "cpu") -> Float[Tensor, "B N 7"]:
        """`count` states at time 0, float64; the first ones of a larger set are those of a smaller one."""
        check_count(count)
        return draw_blocks(count, self.draw, seed, self.stream).to(device)

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
        x = self.advance(self.initial(count, seed, device), (INPUT_FRAME + 1) * EVERY)
        y = self.future(x).float()
        return Dataset(x.float(), y, self.title, on_input=self.cloud, on_output=PointCloud())

    def future(self, x: Float[Tensor, "B N 7"], steps: int = AHEAD) -> Float[Tensor, "B N 3"]:
        """Positions `steps` time steps later, by default as far ahead as the targets of `dataset`."""
        return super().future(x, steps)
