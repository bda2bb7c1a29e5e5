"""Targets of any kind that people keep: labels, names, one-hot rows, label maps, numbers; one rule, and it is said.

Integers are labels and must be numbered from 0; floats are numbers to predict; text names classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnsym.data.own.reading import Targets

MOST_CLASSES = 100_000
FEW = 50
"""Distinct whole floats that look like labels."""
VOID = 255
"""The label of pixels without label in maps of bytes."""
RENUMBER = "say --data.targets names to make a class of each value, or number them from 0"


@dataclass(frozen=True)
class Read:
    """Targets of several splits, numbered alike.

    Args:
        values: by split: labels `(N,)`, maps `(N, H, W)`, numbers `(N, ...)`, or `(N, 0)` where there are none.
        classes: their number, 0 for a regression.
        names: of the classes.
        ignore: the label for "no label".
        notes: what was converted.
    """

    values: dict[str, Tensor]
    classes: int = 0
    names: tuple[str, ...] = ()
    ignore: int | None = None
    notes: tuple[str, ...] = ()


def read_targets(raw: dict[str, Any], counts: dict[str, int], kind: Targets | None, names: Sequence[str] = ()) -> Read:
    """Targets from arrays, tensors or lists.

    Args:
        raw: by split; None where there are none.
        counts: examples of each split.
        kind: what they are, where it was said.
        names: of the classes, where they are known.

    Raises:
        ValueError: when they cannot be used: of another number than the examples, labels that do not begin with 0, or
            objects.

    Example:
        >>> from learnsym.data.own.targets import read_targets
        >>> read = read_targets({"train": ["cat", "dog", "cat"]}, {"train": 3}, None)
        >>> read.values["train"].tolist(), read.names
        ([0, 1, 0], ('cat', 'dog'))
    """
    without = [split for split, y in raw.items() if y is None]
    if len(without) == len(raw):
        return Read({split: torch.empty(counts[split], 0) for split in raw})
    if without:
        raise ValueError(f"y: the {without[0]} examples have no targets, but others do; give targets to all or to none")
    arrays = {split: _array(y, counts[split]) for split, y in raw.items()}
    return _read(arrays, kind, tuple(names))


def _read(arrays: dict[str, np.ndarray], kind: Targets | None, names: tuple[str, ...]) -> Read:
    arrays, notes = _flat(arrays)
    text = any(y.dtype.kind in "US" for y in arrays.values())
    if kind == "numbers":
        if text:
            raise ValueError("data.targets: got numbers, but y holds text; leave it out for classes")
        return _numbers(arrays, notes)
    if kind == "names" or text:
        return _named(arrays, notes)
    if all(y.dtype.kind == "f" for y in arrays.values()):
        return (
            _labels(_whole(arrays), notes, names) if kind == "labels" else _numbers(arrays, (*notes, *_doubt(arrays)))
        )
    return _labels(arrays, notes, names)


def _array(y: Any, examples: int) -> np.ndarray:  # noqa: ANN401  whatever people keep
    array = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    if array.dtype == object and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)
    if array.dtype.kind not in "biufUS":
        real = "must be real; give labels or real numbers" if array.dtype.kind == "c" else "must be numbers or names"
        raise ValueError(f"y: got dtype {array.dtype}, {real}")
    if array.ndim == 0 or len(array) != examples:
        count = "a single number" if array.ndim == 0 else f"{len(array)} targets"
        raise ValueError(f"y: got {count} for {examples} inputs x, must be one each")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(1))[0])
        raise ValueError(f"y: contains NaN or infinity, first in example {bad}; remove or repair those examples")
    return array


def _flat(arrays: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Labels `(N, 1)` and one-hot rows as labels `(N,)`."""
    if all(y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind != "f" for y in arrays.values()):
        return {split: y[:, 0] for split, y in arrays.items()}, ("labels of shape (N, 1) are taken as (N,)",)
    if all(_is_one_hot(y) for y in arrays.values()):
        columns = next(iter(arrays.values())).shape[1]
        note = f"one-hot targets of {columns} columns are taken as labels"
        return {split: y.argmax(1) for split, y in arrays.items()}, (note,)
    return arrays, ()


def _is_one_hot(y: np.ndarray) -> bool:
    if y.ndim != 2 or y.shape[1] < 2 or y.dtype.kind not in "biuf":
        return False
    return bool(np.isin(y, (0, 1)).all() and (y.astype(np.float64).sum(1) == 1).all())


def _named(arrays: dict[str, np.ndarray], notes: tuple[str, ...]) -> Read:
    _check_one_each(arrays)
    texts = {split: y.astype(str) if y.dtype.kind != "S" else np.char.decode(y) for split, y in arrays.items()}
    plain = np.concatenate(list(texts.values() if _is_text(arrays) else arrays.values()))
    names = np.unique(plain)
    values = {split: np.searchsorted(names, texts[split] if _is_text(arrays) else y) for split, y in arrays.items()}
    note = f"{len(names)} values are numbered as classes: {_few([str(name) for name in names])}"
    labels = {split: torch.from_numpy(value).long() for split, value in values.items()}
    return Read(labels, len(names), tuple(str(name) for name in names), None, (*notes, note))


def _is_text(arrays: dict[str, np.ndarray]) -> bool:
    return any(y.dtype.kind in "US" for y in arrays.values())


def _labels(arrays: dict[str, np.ndarray], notes: tuple[str, ...], names: tuple[str, ...]) -> Read:
    maps = all(y.ndim == 3 for y in arrays.values())
    if not maps:
        _check_one_each(arrays)
    ignore = VOID if maps and all(y.dtype == np.uint8 for y in arrays.values()) and _has_void(arrays) else None
    found = np.unique(np.concatenate([np.unique(y) for y in arrays.values()]))
    found = found[found != VOID] if ignore is not None else found
    _check_numbering(found, bool(names))
    classes = max(len(names), int(found[-1]) + 1)
    void = (f"label {VOID} is taken as no label",) if ignore is not None else ()
    absent = sorted(set(range(classes)) - {int(value) for value in found})
    gaps = (f"no example has class {_few([str(each) for each in absent])}",) if absent else ()
    values = {split: torch.from_numpy(np.ascontiguousarray(y).astype(np.int64)) for split, y in arrays.items()}
    return Read(values, classes, names, ignore, (*notes, *void, *gaps))


def _has_void(arrays: dict[str, np.ndarray]) -> bool:
    return any((y == VOID).any() for y in arrays.values()) and all((y[y != VOID] < 254).all() for y in arrays.values())


def _check_numbering(found: np.ndarray, named: bool) -> None:
    if not len(found):
        raise ValueError("y: no pixel has a label; give label maps with classes from 0")
    low, high = int(found[0]), int(found[-1])
    if low < 0:
        raise ValueError(f"y: labels run from {low} to {high}, must run from 0; {RENUMBER}")
    if low > 0 and not named and len(found) == high - low + 1 and len(found) > 1:
        raise ValueError(
            f"y: labels run from {low} to {high}, must run from 0; subtract {low} from y, or say --data.targets names "
            "to make a class of each value"
        )
    if high >= MOST_CLASSES:
        raise ValueError(f"y: labels reach {high} with {len(found)} different values; {RENUMBER}")


def _check_one_each(arrays: dict[str, np.ndarray]) -> None:
    for y in arrays.values():
        if y.ndim != 1:
            raise ValueError(
                f"y: got {y.dtype} of shape {y.shape}, must be one label an example (N,), one-hot rows, or label maps "
                "(N, H, W); give floats for a regression"
            )


def _whole(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    for y in arrays.values():
        if (y != np.round(y)).any():
            raise ValueError("data.targets: got labels, but y holds numbers that are not whole; say numbers")
    return {split: y.astype(np.int64) for split, y in arrays.items()}


def _numbers(arrays: dict[str, np.ndarray], notes: tuple[str, ...]) -> Read:
    values = {split: torch.from_numpy(np.ascontiguousarray(y, np.float32)) for split, y in arrays.items()}
    return Read(values, 0, (), None, notes)


def _doubt(arrays: dict[str, np.ndarray]) -> tuple[str, ...]:
    found = np.unique(np.concatenate([y.reshape(-1) for y in arrays.values()]))
    if len(found) > FEW or (found != np.round(found)).any():
        return ()
    return (
        f"targets are floats with {len(found)} whole values, taken as numbers (a regression); "
        "say --data.targets labels if they are classes",
    )


def _few(words: Sequence[str], most: int = 6) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")
