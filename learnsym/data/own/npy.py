"""Files `.npy`: inputs with a file of targets beside them. What is large stays in its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from learnsym.data.own.damage import readable
from learnsym.data.own.fingerprint import fingerprint
from learnsym.data.own.names import PAIRS, pair_in, pairs_by_split
from learnsym.data.own.pools import Found, Pool, as_tensor
from learnsym.data.room import check_room
from learnsym.data.rows import Header, Rows, npy_header, npy_stretch

IN_MEMORY = 2**29
"""Bytes, as floats, up to which the examples of a split are held in memory."""
REMEDY = "save it with numpy.save(path, x)"


def read_npy(path: Path) -> Found:
    """The inputs in a file, and the targets in the file beside it whose name belongs to its own.

    Raises:
        ValueError: when a file is damaged.
    """
    beside = {each.stem: each for each in path.parent.glob("*.npy")}
    by_split = pairs_by_split(list(beside))
    if any(beside[x] == path for x, _ in by_split.values()):
        return _found(by_split, beside, path.parent)
    names = {y: beside[y] for x, y in PAIRS if x == path.stem.lower() and y in beside}
    return _found({"train": (path.stem, next(iter(names), None))}, {path.stem: path, **names}, path.parent)


def read_npy_folder(folder: Path) -> Found | None:
    """The files of arrays in a folder; None where there are none of a known name.

    Raises:
        ValueError: when a file is damaged.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.npy"))}
    by_split, pair = pairs_by_split(list(files)), pair_in(files)
    if "train" in by_split:
        return _found(by_split, files, folder)
    return None if pair is None else _found({"train": pair}, files, folder)


def inputs_of(path: Path) -> Tensor | Rows:
    """The array of a file, in memory or, where it is large, in its file.

    Raises:
        ValueError: when the file is damaged or truncated, or holds something else than numbers.
    """
    with readable(path, REMEDY), open(path, "rb") as stream:
        header = npy_header(stream)
        _check_length(path, header, stream.tell())
    if stays_in_file(header):
        with readable(path, REMEDY):
            return Rows(npy_stretch(path))
    return as_tensor(_loaded(path, header), f"data: {path}")


def stays_in_file(header: Header) -> bool:
    """Whether an array has too many numbers to be held in memory."""
    return header.dtype.kind in "biuf" and len(header.shape) > 1 and 4 * header.numbers > IN_MEMORY


def fits_in_memory(x: Rows) -> bool:
    """Whether rows of a file, as floats, are few enough to be held in memory."""
    return 4 * x.numel() <= IN_MEMORY


def _found(pairs: dict[str, tuple[str, str | None]], files: dict[str, Path], folder: Path) -> Found:
    pools = {
        split: Pool(inputs_of(files[x]), None if y is None else _targets(files[y])) for split, (x, y) in pairs.items()
    }
    used = [files[name] for pair in pairs.values() for name in pair if name is not None]
    told = ", ".join(f"{x}.npy with {y}.npy" if y else f"{x}.npy without targets" for x, y in pairs.values())
    return Found(pools=pools, notes=(f"taken are {told}",), fingerprint=fingerprint(used, folder))


def _targets(path: Path) -> np.ndarray:
    with readable(path, REMEDY), open(path, "rb") as stream:
        header = npy_header(stream)
        _check_length(path, header, stream.tell())
    return _loaded(path, header)


def _loaded(path: Path, header: Header) -> np.ndarray:
    check_room(f"data: {path}", header.shape, header.dtype.itemsize, "save fewer examples")
    with readable(path, REMEDY):
        return np.load(path, allow_pickle=False)


def _check_length(path: Path, header: Header, begin: int) -> None:
    size, needed = path.stat().st_size, begin + header.numbers * header.dtype.itemsize
    if size < needed:
        raise ValueError(f"it has {size} bytes and should have {needed}: it is truncated")
