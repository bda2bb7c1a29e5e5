"""Files of data sets: where they lie, and whether their content is the published one."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile, ZipFile

import numpy as np

CHUNK = 1 << 20
EXPANSION = 300
"""Times its download that a file may be larger uncompressed; of those published the most is 126."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a data set, with the checksum of its content and where it is published.

    The checksum is that of what the file means, not of its wrapper: for a `gzip` it is taken over the uncompressed
    bytes, for an `npz` over the arrays in alphabetic order, for a `raw` file over its bytes.
    """

    path: str
    """Relative to the data folder."""
    sha256: str
    size: int
    """Bytes to download, about."""
    kind: Literal["raw", "gzip", "npz"] = "raw"
    urls: tuple[str, ...] = ()
    """Official sources, tried in turn; empty when there is none."""
    build: Callable[[Path, Path], None] | None = None
    """Makes the file (second path) from the download (first path) when the source publishes another format."""


def cache_folder() -> Path:
    """`LEARNSYM_CACHE`, by default `~/.cache/learnsym`."""
    return Path(os.environ.get("LEARNSYM_CACHE") or Path.home() / ".cache" / "learnsym")


def folders() -> list[Path]:
    """Where files are looked for: `LEARNSYM_DATA` if it is set, then the cache.

    Raises:
        ValueError: when `LEARNSYM_DATA` is no folder.
    """
    named = os.environ.get("LEARNSYM_DATA")
    if not named:
        return [cache_folder()]
    if not Path(named).is_dir():
        raise ValueError(f"LEARNSYM_DATA: {named} is not a folder; set it to the folder of the data sets, or unset it")
    return [Path(named), cache_folder()]


def locate(file: File) -> Path | None:
    """The file in the first folder that has it, else None."""
    return next((folder / file.path for folder in folders() if (folder / file.path).is_file()), None)


def check(path: Path, file: File) -> None:
    """Compare the content with the checksum.

    Raises:
        ValueError: when the file cannot be read or its content is not the published one.
    """
    actual = digest(path, file.kind, EXPANSION * file.size)
    if actual != file.sha256:
        raise ValueError(
            f"{path}: corrupt file, its content has sha256 {actual}, must be {file.sha256}; "
            "delete it and fetch it again"
        )


def digest(path: Path, kind: str, most: int = 1 << 34) -> str:
    """sha256 of the content of a file.

    Raises:
        ValueError: when it cannot be read, or its content has more than `most` bytes, as that of a bomb.
    """
    total, size = hashlib.sha256(), 0
    try:
        for block in _BLOCKS[kind](path, most):
            total.update(block)
            size += len(block)
            _check_size(size, most)
    except (OSError, EOFError, zlib.error, BadZipFile, ValueError) as error:
        raise ValueError(f"{path}: corrupt file, cannot be read ({error}); delete it and fetch it again") from error
    return total.hexdigest()


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise ValueError(f"its content has more than {most} bytes")


def _raw_blocks(path: Path, most: int) -> Iterator[bytes]:
    with open(path, "rb") as stream:
        yield from iter(lambda: stream.read(CHUNK), b"")


def _gzip_blocks(path: Path, most: int) -> Iterator[bytes]:
    with gzip.open(path, "rb") as stream:
        yield from iter(lambda: stream.read(CHUNK), b"")


def _npz_blocks(path: Path, most: int) -> Iterator[bytes]:
    with ZipFile(path) as members:  # arrays are read whole
        _check_size(sum(info.file_size for info in members.infolist()), most)
    with np.load(path) as arrays:
        for name in sorted(arrays.files):
            yield name.encode()
            yield np.ascontiguousarray(arrays[name]).tobytes()


_BLOCKS: dict[str, Callable[[Path, int], Iterator[bytes]]] = {
    "raw": _raw_blocks,
    "gzip": _gzip_blocks,
    "npz": _npz_blocks,
}
