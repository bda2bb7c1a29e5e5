"""Rows: examples that stay in a file, of which only those asked for are read."""

from __future__ import annotations

import itertools
import math
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

Step = Callable[[Tensor], Tensor]
"""What is done to each batch of examples after it is read."""


@dataclass(frozen=True)
class Stretch:
    """An array within a file, one row after the other.

    Args:
        path: of the file.
        offset: bytes before the first row.
        dtype: of the numbers, with their byte order.
        shape: of the array, rows first.
    """

    path: Path
    offset: int
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Some rows, in memory and in the byte order of this machine.

        Raises:
            ValueError: when the file ends before one of them.
        """
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        content = memoryview(found.reshape(-1).view(np.uint8).data)
        with open(self.path, "rb", buffering=0) as stream:
            for first, last in _runs(rows):
                stream.seek(self.offset + int(rows[first]) * self.row_bytes)
                self._fill(stream, content[first * self.row_bytes : last * self.row_bytes])
        return found.astype(self.dtype.newbyteorder("="), copy=False)

    def _fill(self, stream: Any, content: memoryview) -> None:  # noqa: ANN401  a file
        while len(content):
            got = stream.readinto(content)
            if not got:
                raise ValueError(f"data: {self.path} ends too early; it is truncated or has changed, restore it")
            content = content[got:]


class Rows:
    """Examples in a file: a batch of them is read when it is asked for, and nothing else is kept in memory.

    It answers to what batches need of a tensor: `len`, `shape`, `dtype`, `split`, `index_select` and indices along the
    first axis, all of which give tensors; `subset` gives some rows that stay in the file.

    Args:
        stretch: where they lie.
        rows: which rows of it, in order; None for all.
        steps: what is done to each batch after it is read.
        device: where batches go.

    Raises:
        ValueError: when a batch is read that holds NaN or infinity, or the file is truncated.

    Example:
        >>> import numpy as np, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.npy"
        >>> np.save(path, np.arange(12, dtype=np.float32).reshape(6, 2))
        >>> rows = ls.data.Rows(ls.data.npy_stretch(path))
        >>> rows.subset(torch.tensor([4, 1]))[:1], rows.shape
        (tensor([[8., 9.]]), torch.Size([6, 2]))
    """

    def __init__(
        self,
        stretch: Stretch,
        rows: Tensor | None = None,
        steps: tuple[Step, ...] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        self.stretch = stretch
        self.steps = steps
        self.device = torch.device(device)
        self._rows = torch.arange(stretch.shape[0]) if rows is None else rows.cpu()
        one = self._stepped(torch.from_numpy(np.zeros((1, *stretch.shape[1:]), stretch.dtype.newbyteorder("="))))
        self.dtype = one.dtype
        self.shape = torch.Size([len(self._rows), *one.shape[1:]])

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def dim(self) -> int:
        """Number of axes."""
        return self.ndim

    def numel(self) -> int:
        """Number of numbers."""
        return self.shape.numel()

    def is_floating_point(self) -> bool:
        """Whether batches are floats."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether batches are complex."""
        return self.dtype.is_complex

    def element_size(self) -> int:
        """Bytes of a number."""
        return self.dtype.itemsize

    def __getitem__(self, index: Tensor | slice | int) -> Tensor:
        chosen = self._rows[index.cpu() if isinstance(index, Tensor) else index]
        read = self._read(chosen.reshape(-1))
        return read if chosen.ndim else read[0]

    def index_select(self, dim: int, indices: Tensor) -> Tensor:
        """The examples at `indices`, read."""
        assert dim == 0, "rows are the first axis"
        return self[indices]

    def split(self, size: int) -> Iterator[Tensor]:
        """Batches of `size` examples in order, each read when its turn comes."""
        return (self[start : start + size] for start in range(0, len(self), size))

    def subset(self, indices: Tensor) -> Rows:
        """The examples at `indices`, which stay in the file."""
        return Rows(self.stretch, self._rows[indices.cpu()], self.steps, self.device)

    def then(self, step: Step) -> Rows:
        """The same examples, with one more thing done to each batch."""
        return Rows(self.stretch, self._rows, (*self.steps, step), self.device)

    def to(self, device: torch.device | str) -> Rows:
        """The same examples, whose batches go to another device."""
        return Rows(self.stretch, self._rows, self.steps, device)

    def _read(self, rows: Tensor) -> Tensor:
        values = torch.from_numpy(self.stretch.read(rows.numpy()))
        if values.is_floating_point() and not torch.isfinite(values).all():
            bad = (~torch.isfinite(values.flatten(1)).all(1)).nonzero()[0].item()
            raise ValueError(
                f"x: contains NaN or infinity in row {int(rows[int(bad)])} of {self.stretch.path.name}; repair it"
            )
        return self._stepped(values).to(self.device)

    def _stepped(self, values: Tensor) -> Tensor:
        for step in self.steps:
            values = step(values)
        return values


class Header(NamedTuple):
    """What a file `.npy` says of its array."""

    shape: tuple[int, ...]
    columns: bool
    """Whether it lies column by column, so that a row is in no one place."""
    dtype: np.dtype

    @property
    def numbers(self) -> int:
        """How many there are."""
        return math.prod(self.shape)


def npy_header(stream: Any) -> Header:  # noqa: ANN401  a file, or a member of an archive
    """The header of a file `.npy`, after which its numbers begin.

    Raises:
        ValueError: when it holds Python objects, or is no file `.npy`.
    """
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, columns, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded, since they hold pickled objects")
    return Header(shape, columns and len(shape) > 1, dtype)


def npy_stretch(path: str | os.PathLike[str], offset: int = 0) -> Stretch:
    """Where the array of a file `.npy` lies, or of one that begins at `offset` of another file.

    Raises:
        ValueError: when it holds Python objects, lies column by column, or is no file `.npy`.
    """
    with open(path, "rb") as stream:
        stream.seek(offset)
        shape, columns, dtype = npy_header(stream)
        if columns:
            raise ValueError("its numbers lie column by column; save numpy.ascontiguousarray of it")
        return Stretch(Path(path), stream.tell(), dtype, shape)


def pt_stretch(path: str | os.PathLike[str], name: str | None = None) -> Stretch:
    """Where a tensor lies in a file of `torch.save`, of which nothing but what describes the tensors is read.

    Args:
        path: of the file, which holds a tensor or a dictionary of tensors.
        name: of the tensor in a dictionary; None where the file is the tensor itself.

    Raises:
        ValueError: when there is no such tensor, its rows do not follow one another in the file, or numpy does not know
            its numbers.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "data.pt"
        >>> torch.save({"x": torch.arange(6.0).reshape(3, 2), "y": torch.zeros(3)}, path)
        >>> ls.data.Rows(ls.data.pt_stretch(path, "x"))[2]
        tensor([4., 5.])
    """
    from torch._subclasses import FakeTensorMode

    try:
        with FakeTensorMode():  # whose storages know their place in the file, and hold nothing
            found = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"data: {path} cannot be read as tensors ({reason}); save them with torch.save") from error
    tensor = found.get(name) if isinstance(found, dict) else found if name is None else None
    if not isinstance(tensor, Tensor):
        names = ", ".join(map(str, found)) if isinstance(found, dict) else "one object, which has no names"
        raise ValueError(f"name: got {name!r}, but {path} has {names}; name a tensor of it")
    what = f"{name or 'the tensor'} in {path}"
    if not tensor.ndim or not tensor.is_contiguous():
        raise ValueError(f"data: the rows of {what} lie apart; save .contiguous() of it")
    if tensor.dtype == torch.bfloat16:
        raise ValueError(
            f"data: {name or 'the tensor'} in {path} is of bfloat16, which numpy lacks; save .float() of it"
        )
    stored = tensor.untyped_storage()._checkpoint_offset
    assert stored is not None, "loaded without its numbers"
    begin = stored + int(tensor.storage_offset()) * tensor.element_size()
    return Stretch(Path(path), begin, torch.empty(0, dtype=tensor.dtype).numpy().dtype, tuple(tensor.shape))


def _runs(rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Positions, from and to, of rows that follow one another in the file."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    edges = [0, *breaks.tolist(), len(rows)] if len(rows) else []
    yield from itertools.pairwise(edges)
