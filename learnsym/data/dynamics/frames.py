"""Frames of the published N-body data, and the pair of them that makes an example."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.dynamics.system import PairwiseSystem

EVERY = 100
"""Steps from frame to frame."""
FRAMES = 49
"""Frames of a trajectory of 5000 steps."""
INPUT_FRAME, TARGET_FRAME = 30, 40
AHEAD = (TARGET_FRAME - INPUT_FRAME) * EVERY
"""Steps from input to target."""


def dataset_of_frames(system: PairwiseSystem, initial: Float[Tensor, "B N F"], name: str) -> Dataset:
    """The state at frame 30 and the positions at frame 40, in float32."""
    x = system.advance(initial, (INPUT_FRAME + 1) * EVERY)
    y = system.future(x, AHEAD).float()
    return Dataset(x.float(), y, name, on_input=system.cloud, on_output=PointCloud())
