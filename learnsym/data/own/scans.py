"""Scans in NIfTI files as one array of volumes, read once into the cache folder."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from learnsym.data.own.cache import cached_rows
from learnsym.data.own.damage import readable
from learnsym.data.own.fingerprint import fingerprint
from learnsym.data.rows import Rows

REMEDY = "repair or remove it"


class Scan(NamedTuple):
    """What the header of a file says: voxels and their sides in millimetres, along x, y, z."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]


def scan_rows(files: Sequence[Path], root: Path) -> tuple[Rows, tuple[str, ...]]:
    """Volumes `(N, 1, D, H, W)` in the order of the files, along z, y and x of the scanner, and their spacing in words.

    Intensities are taken as they are, with the scale of the header applied.

    Raises:
        ValueError: when a file is damaged or holds no single volume, shapes differ, or nibabel is not installed.
    """
    looked = [_look(path) for path in files]
    _check_alike(files, looked)
    key = fingerprint(files, root, [os.path.relpath(path, root) for path in files])
    shape = (len(files), 1, *reversed(looked[0].shape))
    rows = cached_rows(key, shape, np.dtype(np.float32), lambda number: _volume(files[number]), "reading scans")
    return rows, _spacings(looked)


def _nibabel() -> Any:  # noqa: ANN401  a module
    try:
        return importlib.import_module("nibabel")
    except ImportError as error:
        raise ValueError("data: NIfTI is read with nibabel, which is missing; pip install learnsym[volumes]") from error


def _look(path: Path) -> Scan:
    nibabel = _nibabel()
    with readable(path, REMEDY):
        header = nibabel.load(path).header
        shape = tuple(int(side) for side in header.get_data_shape())
        spacing = tuple(round(float(side), 4) for side in header.get_zooms()[:3])
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise ValueError(f"data: {path} has shape {shape}, must be one volume (x, y, z); save one file a volume")
    return Scan(shape, spacing)


def _volume(path: Path) -> np.ndarray:
    with readable(path, REMEDY):
        volume = np.asarray(_nibabel().load(path).dataobj, np.float32)
        if not np.isfinite(volume).all():
            raise ValueError("it contains NaN or infinity")
    return volume.reshape(volume.shape[:3]).transpose(2, 1, 0)[None]


def _check_alike(files: Sequence[Path], looked: list[Scan]) -> None:
    for path, each in zip(files, looked, strict=True):
        if each.shape != looked[0].shape:
            raise ValueError(
                f"data: {path.name} has {each.shape} voxels and {files[0].name} {looked[0].shape}; resample the scans "
                "to one shape, or crop them"
            )


def _spacings(looked: list[Scan]) -> tuple[str, ...]:
    found = sorted({each.spacing for each in looked})
    told = " x ".join(f"{side:g}" for side in found[0])
    if len(found) == 1:
        uneven = "; turns mix axes of different spacing" if len(set(found[0])) > 1 else ""
        return (f"voxels of {told} mm along x, y, z{uneven}",)
    last = " x ".join(f"{side:g}" for side in found[-1])
    return (f"the scans have {len(found)} spacings, from {told} to {last} mm along x, y, z; they are not resampled",)
