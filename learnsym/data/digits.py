"""The handwritten digits that scikit-learn carries: 1797 real scans of 8x8 pixels.

Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository.
"""

from __future__ import annotations

import torch

from learnsym.data.dataset import Dataset
from learnsym.data.resizing import inscribe
from learnsym.data.seeding import generator
from learnsym.data.source import Sizes, Source


def _read(sizes: Sizes, seed: int) -> dict[str, Dataset]:
    """A seeded permutation cuts the one pool into a training part and a test part of `sizes.test` examples."""
    # Takes a second to import, and only this data set needs it.
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    x = torch.from_numpy(images).float().div(16.0).reshape(-1, 1, 8, 8)
    pool = Dataset(x, torch.from_numpy(labels), "digits", 10, tuple("0123456789"))
    if sizes.test >= len(pool):
        raise ValueError(f"data.test: got {sizes.test} of {len(pool)} examples; leave some for training")
    order = torch.randperm(len(pool), generator=generator(seed, 0))
    return {"train": pool.subset(order[sizes.test :]), "test": pool.subset(order[: sizes.test])}


DIGITS = Source(
    name="digits",
    title="Handwritten digits of scikit-learn, 8x8, scaled up with a margin for any rotation",
    licence="CC BY 4.0 (UCI Machine Learning Repository)",
    sizes=Sizes(1197, 200, 400),
    read=_read,
    resize=inscribe,
)
