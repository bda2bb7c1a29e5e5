"""Files `.npz`: arrays of inputs and targets under one of the names that are usual, or under names that are said."""

from __future__ import annotations

import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
from torch import Tensor

from learnsym.data.files import cache_folder
from learnsym.data.own.damage import readable
from learnsym.data.own.fingerprint import fingerprint
from learnsym.data.own.names import pair_in, pairs_by_split
from learnsym.data.own.npy import stays_in_file
from learnsym.data.own.pools import Found, Pool, as_tensor
from learnsym.data.own.reading import Reading
from learnsym.data.room import check_room
from learnsym.data.rows import Header, Rows, npy_header, npy_stretch
from learnsym.files import replacing

REMEDY = "save it with numpy.savez(path, x=x, y=y)"
CHUNK = 2**24
LOCAL_HEADER = 30
"""Bytes of the header of a member of a zip archive, before its name."""


def read_npz(path: Path, reading: Reading) -> Found:
    """The arrays of a file, by split where their names have splits.

    Raises:
        ValueError: when the file is damaged, or has no arrays of such names.
    """
    if path.is_dir():
        raise ValueError(f"data: {path} is a folder; give a file .npz with an array x")
    with readable(path, REMEDY), zipfile.ZipFile(path) as archive:
        names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
    pairs = _pairs(path, names, reading)
    pools = {
        split: Pool(inputs_of(path, x), None if y is None else _loaded(path, y, _header(path, y)))
        for split, (x, y) in pairs.items()
    }
    told = ", ".join(f"{x} with {y}" if y else f"{x} without targets" for x, y in pairs.values())
    left = [name for name in names if not any(name in pair for pair in pairs.values())]
    notes = (f"taken are {told}", *([f"left out are {', '.join(left)}"] if left else []))
    return Found(pools=pools, notes=notes, fingerprint=fingerprint([path], path.parent))


def inputs_of(path: Path, name: str) -> Tensor | Rows:
    """An array, in memory or, where it is large, in its file; a large compressed one is unpacked to the cache, once.

    Raises:
        ValueError: when it is damaged, or holds something else than numbers.
    """
    header = _header(path, name)
    if not stays_in_file(header):
        return as_tensor(_loaded(path, name, header), f"data: {name} of {path}")
    with readable(path, REMEDY):
        with zipfile.ZipFile(path) as archive:
            info = _member(archive, name)
        if info.compress_type != zipfile.ZIP_STORED:
            return Rows(npy_stretch(_unpacked(path, info)))
        return Rows(npy_stretch(path, _offset(path, info)))


def _pairs(path: Path, names: list[str], reading: Reading) -> dict[str, tuple[str, str | None]]:
    if reading.x or reading.y:
        return {"train": _said(path, names, reading)}
    by_split, pair = pairs_by_split(names), pair_in(names)
    if "train" in by_split:
        return by_split
    if pair is not None:
        return {"train": pair}
    held = ", ".join(names[:8]) or "nothing"
    raise ValueError(
        f"data: {path} has no array x, but holds {held}; say which with --data.x NAME and --data.y NAME, or {REMEDY}"
    )


def _said(path: Path, names: list[str], reading: Reading) -> tuple[str, str | None]:
    if not reading.x:
        raise ValueError(f"data.y: got {reading.y!r} without data.x; name both arrays")
    for key, name in (("x", reading.x), ("y", reading.y)):
        if name and name not in names:
            raise ValueError(f"data.{key}: {path} has no array {name!r}, must be one of {', '.join(names)}")
    return reading.x, reading.y or None


def _header(path: Path, name: str) -> Header:
    """Shape and type of an array, which a small file may unpack to more than the memory."""
    with (
        readable(path, REMEDY),
        zipfile.ZipFile(path) as archive,
        archive.open(_member(archive, name)) as stream,
    ):
        return npy_header(stream)


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    return next(info for info in archive.infolist() if info.filename.removesuffix(".npy") == name)


def _loaded(path: Path, name: str, header: Header) -> np.ndarray:
    check_room(f"data: {path}", header.shape, header.dtype.itemsize, "save fewer examples")
    with readable(path, REMEDY), np.load(path, allow_pickle=False) as content:
        return content[name]


def _unpacked(path: Path, info: zipfile.ZipInfo) -> Path:
    """The member as a file in the cache folder."""
    target = cache_folder() / "own" / f"{fingerprint([path], path.parent, info.filename, info.CRC)}.npy"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        replacing(target) as temporary,
        open(temporary, "wb") as out,
        zipfile.ZipFile(path) as archive,
        archive.open(info) as member,
    ):
        shutil.copyfileobj(member, out, CHUNK)
    return target


def _offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where the content of a stored member begins; its local header may be longer than the central one says."""
    with open(path, "rb") as stream:
        stream.seek(info.header_offset)
        name, extra = struct.unpack("<26x2H", stream.read(LOCAL_HEADER))
    return info.header_offset + LOCAL_HEADER + name + extra
