"""mocap-run: subject 9 of the CMU motion capture database, running, as windows of 30 frames at 120 frames per second.

The recordings and their splits are those of Xu et al. (2024), "Equivariant Graph Neural Operator for Modeling 3D
Dynamics", arXiv:2401.11037: 5 recordings to train on, 3 for validation, 3 for the test, 80 windows of each. Elhag et
al. (2024), arXiv:2410.17878, train on 200 of the 400 windows: the first 40 of each recording; here the seed chooses.

All recordings run along +z within 0.7 degrees, their windows, which sway, within 3.3 (see `heading_statistics`); for
other headings turn the windows (`turn_to`). Positions are in metres; the papers' unit is 0.056 m, so that their mean
squared errors are `0.0564^-2 = 314` times ours, and their velocities are per frame.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.files import File
from learnsym.data.motion.egno import convert
from learnsym.data.motion.skeleton import METRES_PER_INCH
from learnsym.data.motion.windows import gathered, layout, windows
from learnsym.data.source import Sizes, Source, find
from learnsym.data.unsized import unsized

RATE = 120.0
"""Frames per second."""
HORIZON = 30
METRES = METRES_PER_INCH / 0.45
"""Per unit of the file: every skeleton of CMU has `length 0.45`."""
SPLITS = ("train", "val", "test")
_COMMIT = "9ee4bf580ffb24b65eccd364a342b42df10df67b"

FILE = File(
    path="cmu-mocap/egno_motion_run.npz",
    sha256="3d92d9b12ffafa04eaae523634405027c999adbd64b31a995c609a8bc3ace41b",
    size=10_000_000,
    kind="npz",
    urls=(f"https://codeload.github.com/MinkaiXu/EGNO/zip/{_COMMIT}",),
    build=convert,
)


def run_recordings() -> tuple[Float[Tensor, "T 31 3"], ...]:
    """Joint positions in metres of each recording, 120 frames per second.

    Raises:
        ValueError: when the file is missing or corrupt.
    """
    with np.load(find("mocap-run", FILE)) as arrays:
        return torch.from_numpy(arrays["pos"] * METRES).split(arrays["seq_len"].tolist())


def _read(sizes: Sizes, seed: int) -> dict[str, Dataset]:
    bodies = run_recordings()
    with np.load(find("mocap-run", FILE)) as arrays:
        return {split: _dataset(bodies, torch.from_numpy(arrays[f"split_{split}"])) for split in SPLITS}


def _dataset(bodies: tuple[Tensor, ...], rows: Tensor) -> Dataset:
    """Windows whose rows are (recording, first frame)."""
    trials = dict.fromkeys(rows[:, 0].tolist())
    x, y = gathered([windows(bodies[k], HORIZON, RATE, rows[rows[:, 0] == k, 1]) for k in trials])
    return Dataset(x.float(), y.float(), "mocap-run", on_input=layout(x.shape[1]), on_output=PointCloud())


RUN = Source(
    name="mocap-run",
    title="Motion capture: a person running, joints 0.25 s ahead (30 of 120 frames per s)",
    licence="free use (mocap.cs.cmu.edu); selection and splits MIT (EGNO)",
    sizes=Sizes(200, 240, 240),
    read=_read,
    files=(FILE,),
    resize=unsized,
)
