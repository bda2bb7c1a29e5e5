"""CIFAR-10: the original pixels, and a JPEG re-compression of them under a name of its own.

Krizhevsky (2009), "Learning multiple layers of features from tiny images".
"""

from __future__ import annotations

import io
import tarfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.files import File, cache_folder
from learnsym.data.source import Sizes, Source, find
from learnsym.files import replacing

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
RECORD = 1 + 3 * 32 * 32
TRAIN = tuple(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6))
TEST = ("cifar-10-batches-bin/test_batch.bin",)

# The binary edition: the same pixels as the python one, without pickles.
ORIGINAL = File(
    path="cifar10/cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    size=170052171,
    urls=("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
)
RECOMPRESSED = File(
    path="cifar10-jpeg/cifar10_jpeg.tar.gz",
    sha256="b8d22658b5a1be7a9bf0e21e1a989e0240061a7667cf74b19e5ef1918c6cfb66",
    size=19432887,
)


def read_records(archive: Path, members: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Images `(N, 3, 32, 32)` and labels `(N,)`, uint8, of members made of a label byte and 3072 pixels each."""
    with tarfile.open(archive) as tar:
        content = b"".join(_member(tar, name) for name in members)
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].copy())


def _member(tar: tarfile.TarFile, member: str | tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    if stream is None:
        raise ValueError(f"{tar.name}: {member} is not a file; delete the archive and fetch it again")
    return stream.read()


def _read_original(sizes: Sizes, seed: int) -> dict[str, Dataset]:
    archive = find("cifar10", ORIGINAL, also="data.name=cifar10-jpeg")
    pools = {"train": read_records(archive, TRAIN), "test": read_records(archive, TEST)}
    return {split: Dataset(x, y, "cifar10", 10, CLASSES) for split, (x, y) in pools.items()}


def decode(archive: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images `(N, 3, 32, 32)` and labels `(N,)` of all `SPLIT/CLASS/NNNN.jpg`, ordered by number, then class."""
    from PIL import Image

    images: list[tuple[str, int, np.ndarray]] = []
    with tarfile.open(archive) as tar:
        for member in tar:
            folder, _, number = member.name.rpartition("/")
            if folder.startswith(f"{split}/") and member.isfile():
                image = Image.open(io.BytesIO(_member(tar, member))).convert("RGB")
                images.append((number, CLASSES.index(folder.split("/")[1]), np.asarray(image).transpose(2, 0, 1)))
    images.sort(key=lambda item: item[:2])
    return np.stack([image for _, _, image in images]), np.array([label for _, label, _ in images], np.uint8)


def _cached(split: str) -> tuple[Tensor, Tensor]:
    """The decoded images, memory-mapped from the cache folder; decoded once (some 20 s)."""
    folder = cache_folder() / "cifar10-jpeg"
    paths = [folder / f"{split}-{part}-{RECOMPRESSED.sha256[:8]}.npy" for part in ("images", "labels")]
    if not all(path.is_file() for path in paths):
        archive = find("cifar10-jpeg", RECOMPRESSED)
        folder.mkdir(parents=True, exist_ok=True)
        for path, array in zip(paths, decode(archive, split), strict=True):
            with replacing(path) as temporary:
                np.save(temporary, array)
    # Copy-on-write: torch asks for writable memory, the file stays as it is.
    images, labels = (torch.from_numpy(np.load(path, mmap_mode="c")) for path in paths)
    return images, labels


def _read_recompressed(variant: str, sizes: Sizes, seed: int) -> dict[str, Dataset]:
    pools = {split: _cached(split) for split in ("train", "test")}
    return {split: Dataset(x, y, "cifar10-jpeg", 10, CLASSES, variant=variant) for split, (x, y) in pools.items()}


CIFAR10 = Source(
    name="cifar10",
    title="CIFAR-10: colour pictures of ten kinds of things, 32x32",
    licence="not stated; the author asks for a citation (Krizhevsky, 2009)",
    sizes=Sizes(45000, 5000, 10000),
    read=_read_original,
    files=(ORIGINAL,),
    also="cifar10-jpeg",
)

CIFAR10_JPEG = Source(
    name="cifar10-jpeg",
    title="CIFAR-10 re-compressed as JPEG of quality 75: not the original pixels; no official download",
    licence=CIFAR10.licence,
    sizes=CIFAR10.sizes,
    read=partial(_read_recompressed, "JPEG re-compression (quality 75) of CIFAR-10, not the original pixels"),
    files=(RECOMPRESSED,),
)
