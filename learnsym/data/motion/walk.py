"""mocap-walk: subject 35 of the CMU motion capture database, walking (mocap.cs.cmu.edu).

The recordings come as joint angles at 30 frames per second (`cmu35WalkJog.mat`, of Taylor, Hinton and Roweis, 2007,
"Modeling human motion using binary latent variables", as kept in GPmat), with the skeleton `35.asf`; where the joints
are is computed here. Of its 33 recordings 23 are walks (1.2 m/s), 10 are jogs (3.4 m/s) and left out.

Splits are by recording, so that neighbouring frames never meet across splits: 11 recordings to train on, 6 for
validation, 6 for the test. Windows are all that fit. Differences from the papers (Huang et al., 2022, arXiv:2203.06442;
Elhag et al., 2024, arXiv:2410.17878): they have 120 frames per second, sampled windows (200 for training, 600 for
validation, 600 for the test), other recordings in each split (which ones is not told by number), a unit of 0.056 m
and velocities per frame; errors are therefore not comparable as numbers.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import scipy
import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data.dataset import Dataset
from learnsym.data.files import File
from learnsym.data.motion.asf import read_asf
from learnsym.data.motion.kinematics import joint_positions
from learnsym.data.motion.windows import gathered, layout, windows
from learnsym.data.source import Sizes, Source, find
from learnsym.data.text import compress
from learnsym.data.unsized import unsized

RATE = 30.0
"""Frames per second."""
RECORDINGS = (*range(1, 18), *range(19, 27), 28, *range(30, 35)), (18, 29)
"""Trial numbers of subject 35, in the order of `Y` and of `Ytest` of the file."""
WALKS = (*range(1, 17), *range(28, 35))
TRIALS = {"train": WALKS[1::2], "val": WALKS[::4], "test": WALKS[2::4]}
"""Trial numbers of each split."""
_GPMAT = "https://raw.githubusercontent.com/SheffieldML/GPmat/4b5914a38ecbad9fb7a13a3392970bfc28c9d911/datasets/data"

ANGLES = File(
    path="cmu-mocap/cmu35WalkJog.mat",
    sha256="50db534501bdfb1611153e3b5d122fc08b0c42ea159e875d5656ec13fa11a353",
    size=1_073_738,
    urls=(f"{_GPMAT}/cmu35WalkJog.mat",),
)
SKELETON = File(
    path="cmu-mocap/35.asf.gz",
    sha256="2a8e2eda3c0d7d828566b2a9a8ab36b2b8b3864110574e8b73c8f069fded416c",
    size=7_261,
    kind="gzip",
    urls=(f"{_GPMAT}/mocap/cmu/35/35.asf",),
    build=compress,
)


def recordings() -> dict[int, Float[Tensor, "T 31 3"]]:
    """Joint positions in metres of each recording of subject 35 by trial number, jogs too, 30 frames per second.

    Raises:
        ValueError: when a file is missing or corrupt.
    """
    arrays = scipy.io.loadmat(find("mocap-walk", ANGLES))
    skeleton = read_asf(find("mocap-walk", SKELETON))
    positions_of = {}
    for angles, labels, trials in zip(("Y", "Ytest"), ("lbls", "lblstest"), RECORDINGS, strict=True):
        positions = joint_positions(skeleton, torch.from_numpy(arrays[angles]))
        which = arrays[labels].argmax(1)
        positions_of.update(
            {trial: positions[torch.from_numpy(np.flatnonzero(which == i))] for i, trial in enumerate(trials)}
        )
    return positions_of


def _read(name: str, horizon: int, sizes: Sizes, seed: int) -> dict[str, Dataset]:
    positions = recordings()
    return {split: _dataset(name, [positions[trial] for trial in trials], horizon) for split, trials in TRIALS.items()}


def _dataset(name: str, positions: list[Tensor], horizon: int) -> Dataset:
    x, y = gathered([windows(each, horizon, RATE) for each in positions])
    variant = f"30 frames per second, {horizon} frames ahead, all windows"
    on_input = layout(x.shape[1])
    return Dataset(x.float(), y.float(), name, variant=variant, on_input=on_input, on_output=PointCloud())


def _source(name: str, horizon: int, sizes: Sizes) -> Source:
    return Source(
        name=name,
        title=f"Motion capture: a person walking, joints {horizon / RATE:.2g} s ahead ({horizon} of 30 frames per s)",
        licence="free use (mocap.cs.cmu.edu)",
        sizes=sizes,
        read=partial(_read, name, horizon),
        files=(ANGLES, SKELETON),
        resize=unsized,
    )


WALK = _source("mocap-walk", 30, Sizes(200, 400, 400))
WALK_SHORT = _source("mocap-walk-short", 8, Sizes(200, 400, 400))
"""As far ahead in time as in the papers, whose 30 frames are 0.25 s."""
