"""MNIST and Fashion-MNIST: images and labels in IDX files.

LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition";
Xiao, Rasul and Vollgraf (2017), "Fashion-MNIST", arXiv:1708.07747.
"""

from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.files import File
from learnsym.data.source import Sizes, Source, find

_KINDS = ("images-idx3", "labels-idx1")
_PARTS = tuple(f"{split}-{kind}-ubyte.gz" for split in ("train", "t10k") for kind in _KINDS)


def read_idx(path: Path) -> Tensor:
    """The uint8 array of a gzipped IDX file: two zero bytes, a type byte, the number of axes, sizes, data."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3] if len(content) > 3 else 0
    if content[:3] != b"\x00\x00\x08" or not axes:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes; delete it and fetch it again")
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    # A copy: torch does not take read-only memory.
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape).copy())


def _read(
    name: str, files: tuple[File, ...], class_names: tuple[str, ...], sizes: Sizes, seed: int
) -> dict[str, Dataset]:
    train_x, train_y, test_x, test_y = (read_idx(find(name, file)) for file in files)
    return {
        split: Dataset(x[:, None], y, name, len(class_names), class_names)
        for split, x, y in (("train", train_x, train_y), ("test", test_x, test_y))
    }


def _files(name: str, roots: tuple[str, ...], sums: list[tuple[int, str]]) -> tuple[File, ...]:
    return tuple(
        File(path=f"{name}/{part}", sha256=sha256, size=size, kind="gzip", urls=tuple(f"{r}/{part}" for r in roots))
        for part, (size, sha256) in zip(_PARTS, sums, strict=True)
    )


def _source(name: str, title: str, licence: str, class_names: tuple[str, ...], files: tuple[File, ...]) -> Source:
    read = partial(_read, name, files, class_names)
    return Source(name=name, title=title, licence=licence, sizes=Sizes(54000, 6000, 10000), read=read, files=files)


MNIST = _source(
    "mnist",
    "MNIST: handwritten digits, 28x28",
    "not stated by the authors (LeCun, Cortes, Burges)",
    tuple("0123456789"),
    _files(
        "mnist",
        ("https://ossci-datasets.s3.amazonaws.com/mnist",),
        [
            (9912422, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            (28881, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            (1648877, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            (4542, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ],
    ),
)

FASHION_MNIST = _source(
    "fashion-mnist",
    "Fashion-MNIST: pictures of clothes, 28x28",
    "MIT (Zalando SE)",
    ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    _files(
        "fashion-mnist",
        (
            "https://fashion-mnist.s3.eu-central-1.amazonaws.com",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
        ),
        [
            (26421880, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
            (29515, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
            (4422102, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
            (5148, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
        ],
    ),
)
