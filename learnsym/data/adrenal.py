"""AdrenalMNIST3D: shapes of left adrenal glands, normal or with a mass, as volumes of 28x28x28 voxels.

Yang, Shi, Wei et al. (2023), "MedMNIST v2", arXiv:2110.14795.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from learnsym.data.dataset import Dataset
from learnsym.data.files import File
from learnsym.data.inputs import as_float
from learnsym.data.source import Sizes, Source, find

CLASSES = ("normal", "hyperplasia")
SPLITS = ("train", "val", "test")

FILE = File(
    path="adrenalmnist3d/adrenalmnist3d.npz",
    sha256="0c21103f889049820391823c9f93927dd28e46c53cf1568d2d8217ee893f15b3",
    size=276833,
    kind="npz",
    urls=("https://zenodo.org/records/10519652/files/adrenalmnist3d.npz?download=1",),
)


def averaged(dataset: Dataset, size: int | None) -> Dataset:
    """Volumes of `size` voxels along each axis, the means of those they cover; None keeps them as they are."""
    if size is None or size == dataset.x.shape[-1]:
        return dataset
    if size > dataset.x.shape[-1]:
        raise ValueError(f"data.size: got {size}, must be at most {dataset.x.shape[-1]} for {dataset.name}")
    return replace(dataset, x=torch.nn.functional.adaptive_avg_pool3d(as_float(dataset.x), size))


def _read(sizes: Sizes, seed: int) -> dict[str, Dataset]:
    with np.load(find("adrenal", FILE)) as arrays:
        return {split: _dataset(arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in SPLITS}


def _dataset(x: np.ndarray, y: np.ndarray) -> Dataset:
    return Dataset(torch.from_numpy(x[:, None]), torch.from_numpy(y[:, 0]), "adrenal", len(CLASSES), CLASSES)


ADRENAL = Source(
    name="adrenal",
    title="AdrenalMNIST3D: shapes of adrenal glands, volumes of 28x28x28, two classes",
    licence="CC BY 4.0",
    sizes=Sizes(1188, 98, 298),
    read=_read,
    files=(FILE,),
    resize=averaged,
)
