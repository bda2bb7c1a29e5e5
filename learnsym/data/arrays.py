"""Inputs and targets from a file of arrays that somebody else has written."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from learnsym.data.dataset import as_float, check_inputs
from learnsym.data.room import check_room

WANTED = ("x", "y")
REMEDY = "save it with numpy.savez(path, x=x, y=y)"


def read_arrays(path: Path) -> tuple[Tensor, Tensor | None]:
    """The arrays `x` and, where there is one, `y` of a file `.npz`.

    Inputs follow the one rule for images: uint8 is divided by 255, bool is 0 and 1, floats are taken as they are, in
    float32. Labels become int64 and lose a last axis of length 1; other targets become float32.

    Args:
        path: the file.

    Raises:
        ValueError: when it cannot be read, has no `x`, or arrays that cannot be used; it names the remedy.
    """
    arrays = {name: _numbers(path, name, array) for name, array in _arrays(path).items()}
    if "x" not in arrays:
        raise ValueError(f"data: {path} has no array x; {REMEDY}")
    try:
        return _inputs(arrays["x"]), _targets(arrays.get("y"), len(arrays["x"]))
    except ValueError as error:
        raise ValueError(f"data: {path}, {error}") from error


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if path.is_dir():
        raise ValueError(f"data: {path} is a folder; give a file .npz with an array x")
    with _readable(path):
        headers = _headers(path)
    for shape, dtype in headers:
        check_room(f"data: {path}", shape, dtype.itemsize, "save fewer examples")
    with _readable(path), np.load(path, allow_pickle=False) as content:
        return {name: content[name] for name in content.files if name in WANTED}


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a damaged file raises errors of many kinds, from zipfile, zlib, numpy and tokenize
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"data: {path} cannot be read ({reason}); {REMEDY}") from error


def _headers(path: Path) -> list[tuple[tuple[int, ...], np.dtype]]:
    """Shape and type of each array, which a small file may unpack to more than the memory."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in {f"{name}.npy" for name in WANTED} & set(archive.namelist()):
            with archive.open(name) as member:
                version = np.lib.format.read_magic(member)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(member)
            found.append((shape, dtype))
    return found


def _numbers(path: Path, name: str, array: np.ndarray) -> Tensor:
    if array.dtype.kind not in "biufc":
        raise ValueError(f"data: {name} of {path} holds {array.dtype}, must be numbers; number the classes from 0")
    try:
        return torch.from_numpy(np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape))
    except TypeError as error:
        raise ValueError(f"data: {name} of {path} holds {array.dtype}, must be numbers that torch knows") from error


def _inputs(x: Tensor) -> Tensor:
    if x.ndim == 0:
        raise ValueError("x: got a single number, must be (N, ...) with one row per example")
    check_inputs(x)
    x = as_float(x).float()
    check_inputs(x)  # float64 may be too large for float32
    return x


def _targets(y: Tensor | None, examples: int) -> Tensor | None:
    if y is None:
        return None
    if y.ndim == 0 or len(y) != examples:
        count = "a single number" if y.ndim == 0 else f"{len(y)} targets"
        raise ValueError(f"y: got {count} for {examples} inputs x, must be one each")
    if y.is_complex():
        raise ValueError(f"y: got dtype {y.dtype}, must be real; give labels or real numbers")
    if not y.is_floating_point():
        return y.long().squeeze(1) if y.shape[1:] == (1,) else y.long()
    if not torch.isfinite(y).all():
        bad = (~torch.isfinite(y.flatten(1) if y.ndim > 1 else y[:, None]).all(1)).nonzero()[0].item()
        raise ValueError(f"y: contains NaN or infinity, first in example {bad}; remove or repair those examples")
    return y.float()
