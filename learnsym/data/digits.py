"""The handwritten digits that scikit-learn carries: 1797 real scans of 8x8 pixels.

Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from learnsym.data.dataset import Dataset
from learnsym.data.resizing import inscribe
from learnsym.data.seeding import generator
from learnsym.data.source import Sizes, Source


def _read(sizes: Sizes, seed: int) -> dict[str, Dataset]:
    """A seeded permutation cuts the one pool into a training part and a test part of `sizes.test` examples."""
    pixels_and_labels = np.loadtxt(_file(), delimiter=",")  # 64 pixels from 0 to 16, then the label
    x = torch.from_numpy(pixels_and_labels[:, :-1]).float().div(16.0).reshape(-1, 1, 8, 8)
    pool = Dataset(x, torch.from_numpy(pixels_and_labels[:, -1].astype(int)), "digits", 10, tuple("0123456789"))
    if sizes.test >= len(pool):
        raise ValueError(f"data.test: got {sizes.test} of {len(pool)} examples; leave some for training")
    order = torch.randperm(len(pool), generator=generator(seed, 0))
    return {"train": pool.subset(order[sizes.test :]), "test": pool.subset(order[: sizes.test])}


def _file() -> Path:
    """The file that `sklearn.datasets.load_digits` reads; scikit-learn itself takes longer to import than a plan."""
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise ImportError("data.name: digits come with scikit-learn, which is not installed; pip install scikit-learn")
    return Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"


DIGITS = Source(
    name="digits",
    title="Handwritten digits of scikit-learn, 8x8, scaled up with a margin for any rotation",
    licence="CC BY 4.0 (UCI Machine Learning Repository)",
    sizes=Sizes(1197, 200, 400),
    read=_read,
    resize=inscribe,
)
