"""Pools: what a source holds as it was read, and the data sets that are made of it by one rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from learnsym.actions import PointCloud, PointVectors
from learnsym.data.dataset import Dataset
from learnsym.data.inputs import Inputs, count
from learnsym.data.own.layout import WORDS, arranged, candidates, layout_of
from learnsym.data.own.reading import Reading
from learnsym.data.own.targets import Read, read_targets
from learnsym.data.rows import Rows
from learnsym.parts import mapped, tensors_in


class Pool(NamedTuple):
    """Inputs and targets of one split, as they were read."""

    x: Inputs
    """A tensor, `Rows`, or a structure of tensors."""
    y: Any = None
    """An array, a tensor, a list, or None."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a source holds.

    Args:
        pools: by split; `train` alone where the source has no splits.
        names: of the classes, where the source has them.
        ready: whether inputs have the order of axes of the library, so that nothing is to be told.
        notes: what was guessed or converted while it was read.
        fingerprint: digest of the files.
    """

    pools: dict[str, Pool]
    names: tuple[str, ...] = ()
    ready: bool = False
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    also: dict[str, Any] = field(default_factory=dict)
    """Further fields of the data sets."""


def datasets(found: Found, name: str, reading: Reading) -> dict[str, Dataset]:
    """The data set of each split.

    Raises:
        ValueError: when inputs or targets cannot be used; the sentence names the remedy.
    """
    inputs, notes = _inputs(found, reading)
    counts = {split: count(x) for split, x in inputs.items()}
    for split, examples in counts.items():
        if examples == 0:
            raise ValueError(f"x: there are no {split} examples; give at least one")
    read = read_targets({split: pool.y for split, pool in found.pools.items()}, counts, reading.targets, found.names)
    said = (*found.notes, *notes, *read.notes)
    return {split: _dataset(x, read, split, found, name, reading, said) for split, x in inputs.items()}


def as_tensor(values: object, name: str) -> Tensor:
    """An array of numbers as a tensor, without a copy where that can be.

    Raises:
        ValueError: when it holds something else.
    """
    if isinstance(values, Tensor):
        return values.detach()
    array = np.asarray(values)
    if array.dtype.kind not in "biufc":
        raise ValueError(f"{name}: holds {array.dtype}, must be numbers; leave pickled objects and text out")
    try:
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
        return torch.from_numpy(array if array.flags.writeable else array.copy())
    except TypeError as error:
        raise ValueError(f"{name}: holds {array.dtype}, must be numbers that torch knows") from error


def _inputs(found: Found, reading: Reading) -> tuple[dict[str, Inputs], tuple[str, ...]]:
    inputs = {split: pool.x for split, pool in found.pools.items()}
    several = any(not isinstance(x, Tensor | Rows) for x in inputs.values())
    if found.ready or several:
        if reading.layout is not None:
            kind = "several inputs" if several else "these data, whose axes are known"
            raise ValueError(f"data.layout: got {reading.layout} for {kind}; leave it out")
        if several and not found.ready:
            inputs = {split: mapped(_floats, x) for split, x in inputs.items()}
        return inputs, _moving(next(iter(inputs.values())), reading)
    _check_alike(inputs)
    shape, dtype = next((x.shape, x.dtype) for x in inputs.values())
    if len(shape) < 2:
        what = f"shape {tuple(shape)}" if len(shape) else "a single number"
        raise ValueError(f"x: got {what}, must be (N, ...) with one row per example")
    what, whole = f"{tuple(shape)} {str(dtype).removeprefix('torch.')}", dtype in (torch.uint8, torch.bool)
    if reading.layout is None and not reading.ask and len(candidates(shape, whole)) != 1:
        return {split: _floats(x) for split, x in inputs.items()}, (f"{what}: the axes are taken as they are",)
    layout = layout_of(shape, whole, reading.layout)
    note = f"{what} are {WORDS[layout]}"
    return {split: _floats(arranged(x, layout)) for split, x in inputs.items()}, (note,)


def _moving(x: Inputs, reading: Reading) -> tuple[str, ...]:
    keys = [key for key, _ in tensors_in(x)]
    if reading.moves or len(keys) < 2:
        return ()
    return (f"symmetries move {keys[0]}, the first of the inputs {', '.join(keys)}; data.moves names another",)


def _floats(x: Tensor | Rows) -> Tensor | Rows:
    """Floats of any precision as those of networks."""
    if not x.is_floating_point() or x.dtype == torch.float32:
        return x
    return x.then(torch.Tensor.float) if isinstance(x, Rows) else x.float()


def _check_alike(inputs: dict[str, Inputs]) -> None:
    shapes = {split: tuple(x.shape[1:]) for split, x in inputs.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{split} {shape}" for split, shape in shapes.items())
        raise ValueError(f"x: the splits have examples of different shapes ({told}); save them in one shape")


def _dataset(
    x: Inputs, read: Read, split: str, found: Found, name: str, reading: Reading, notes: tuple[str, ...]
) -> Dataset:
    y = read.values[split]
    also = dict(found.also)
    if reading.layout == "cloud" and not read.classes and y.ndim == 3 and y.shape[1:] == (x.shape[1], 3):
        also |= {"on_input": PointCloud(scalars=x.shape[2] - 3), "on_output": PointVectors()}
    return Dataset(
        x,
        y,
        name,
        classes=read.classes,
        class_names=read.names,
        ignore=read.ignore,
        moves=reading.moves,
        notes=notes,
        fingerprint=found.fingerprint,
        **also,
    )
