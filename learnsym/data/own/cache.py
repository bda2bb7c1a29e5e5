"""Arrays that are made once from files and then lie in the cache folder, from which examples are read on demand."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from learnsym.data.files import cache_folder
from learnsym.data.rows import Rows, npy_stretch
from learnsym.files import put_in_place, write_atomically, writing

FLUSH = 256
"""Rows after which it is noted how far the work is."""


def cached_rows(key: str, shape: Sequence[int], dtype: np.dtype, row: Callable[[int], np.ndarray], title: str) -> Rows:
    """Rows of an array in the cache folder, which is made now unless it is there.

    What a killed process has made of it is gone on with. Two processes may make it at once: both write the same.

    Args:
        key: names the array; it says all that the rows depend on.
        shape: of the array.
        dtype: of its numbers.
        row: makes one row.
        title: of the progress bar.

    Raises:
        OSError: when the disk is full or the folder cannot be written.
    """
    path = cache_folder() / "own" / f"{key}.npy"
    if not path.is_file():
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        _make(path, tuple(shape), dtype, row, title)
    return Rows(npy_stretch(path))


def _make(path: Path, shape: tuple[int, ...], dtype: np.dtype, row: Callable[[int], np.ndarray], title: str) -> None:
    part, progress = path.with_suffix(".part"), path.with_suffix(".rows")
    header = _header(shape, dtype)
    row_bytes = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
    with writing(path), open(part, "r+b" if part.exists() else "w+b") as stream:
        done = _done(progress) if os.fstat(stream.fileno()).st_size >= len(header) else 0
        stream.write(header)
        stream.seek(len(header) + done * row_bytes)
        numbers = range(done, shape[0])
        bar = tqdm(numbers, desc=title, initial=done, total=shape[0], unit="file", disable=not sys.stderr.isatty())
        for number in bar:
            stream.write(np.ascontiguousarray(row(number), dtype).tobytes())
            if (number + 1) % FLUSH == 0:
                stream.flush()
                write_atomically(progress, str(number + 1).encode())
        stream.truncate()
    with suppress(FileNotFoundError):  # another process was faster
        put_in_place(part, path)
    progress.unlink(missing_ok=True)


def _done(progress: Path) -> int:
    """Rows that are written."""
    return int(progress.read_text()) if progress.is_file() else 0


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    stream = io.BytesIO()
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(stream, header)
    return stream.getvalue()
