"""Objects in memory as data: arrays, tensors, structures of them, torch data sets, loaders, and dicts of splits."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, default_collate
from torch.utils.data import Dataset as TorchDataset
from tqdm.auto import tqdm

from learnsym._reasons import reason_of
from learnsym.data.dataset import Dataset
from learnsym.data.own.names import pair_in, split_of
from learnsym.data.own.pools import Found, Pool, as_tensor, datasets
from learnsym.data.own.reading import Layout, Reading, Targets
from learnsym.data.room import check_room
from learnsym.data.rows import Rows
from learnsym.parts import examples

logger = logging.getLogger(__name__)

FORMS = (
    "tensors or arrays (x, y), a dict of splits, a torch Dataset or a DataLoader; x may be a dict or tuple of tensors"
)


def as_dataset(
    data: object,
    *,
    name: str = "data",
    layout: Layout | None = None,
    targets: Targets | None = None,
    moves: str = "",
) -> Dataset:
    """Examples of any form that Python has for them, as one data set.

    Args:
        data: `x` or `(x, y)` with arrays or tensors, where `x` may be a dict or tuple of tensors for a model with
            several inputs; a torch `Dataset` or `DataLoader` of pairs, which is read once; or a `Dataset` of ours.
        name: what tables and figures call them.
        layout: order of the axes of `x`, see `learnsym data describe`; told from their sizes where they tell.
        targets: `labels`, `names` or `numbers`; told from their type by default.
        moves: key of the input that symmetries move, for several inputs; the first by default.

    Raises:
        ValueError: when they have another form, or cannot be used.

    Example:
        >>> import numpy as np
        >>> data = ls.data.as_dataset((np.zeros((6, 28, 28, 3), np.uint8), np.arange(6) % 2))
        >>> data.in_shape, data.classes
        ((3, 28, 28), 2)
    """
    if isinstance(data, Dataset):
        return replace(data, moves=moves) if moves else data
    reading = Reading(layout=layout, targets=targets, moves=moves)
    made = datasets(Found(pools={"train": pool_of(data)}), name, reading)["train"]
    say_notes(made.name, made.notes)
    return made


def say_notes(name: str, notes: Iterable[str]) -> None:
    """Log what was guessed or converted when examples were read: to be called once their use begins."""
    for note in notes:
        logger.info("%s: %s", name, note)


def found_in(value: object, argument: str = "data") -> Found:
    """What a function of a user has returned: one pool, or a dict of splits.

    Raises:
        ValueError: when it has another form.
    """
    splits = _splits(value, argument)
    if splits is None:
        return Found(pools={"train": pool_of(value, argument)}, **_known(value))
    pools = {split: pool_of(each, f"{argument}, {split}") for split, each in splits.items()}
    return Found(pools=pools, **_known(splits["train"]))


def pool_of(value: Any, argument: str = "data") -> Pool:  # noqa: ANN401  whatever people keep
    """One pool of examples.

    Raises:
        ValueError: when it has another form, or too many examples for the memory.
    """
    if isinstance(value, Dataset):
        return Pool(value.x, value.y if value.has_targets else None)
    if isinstance(value, DataLoader):
        return _collected(value, _length(value.dataset), argument)
    if isinstance(value, TorchDataset):
        return _of_torch(value, argument)
    if isinstance(value, tuple | list) and len(value) == 2:
        return Pool(_structure(value[0], f"{argument}: x"), _target(value[1]))
    pair = pair_in(map(str, value)) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping) and pair is not None and set(map(str, value)) <= set(pair):
        x, y = pair
        return Pool(_structure(value[x], f"{argument}: {x}"), None if y is None else _target(value[y]))
    if isinstance(value, Tensor | np.ndarray | Rows | Mapping):
        return Pool(_structure(value, f"{argument}: x"))
    raise ValueError(f"{argument}: got a {type(value).__name__}, must be {FORMS}")


def _splits(value: object, argument: str) -> dict[str, object] | None:
    if not isinstance(value, Mapping) or not value:
        return None
    named = {split_of(str(key)): each for key, each in value.items()}
    if None in named:
        return None
    if "train" not in named:
        raise ValueError(f"{argument}: got splits {', '.join(map(str, value))}, must have train; add it")
    return named  # type: ignore[return-value]


def _known(value: object) -> dict[str, Any]:
    """What a data set of ours knows beside its examples."""
    if not isinstance(value, Dataset):
        return {}
    clouds = {"on_input": value.on_input, "on_output": value.on_output} if value.on_input else {}
    return {"names": value.class_names, "ready": True, "also": clouds}


def _structure(value: object, name: str) -> Any:  # noqa: ANN401  inputs
    """Inputs with tensors in place of arrays."""
    if isinstance(value, Rows):
        return value
    if isinstance(value, Mapping):
        whole: object = {str(key): _structure(each, f"{name}.{key}") for key, each in value.items()}
    elif isinstance(value, tuple) or (isinstance(value, list) and value and isinstance(value[0], Tensor | np.ndarray)):
        whole = tuple(_structure(each, f"{name}.{i}") for i, each in enumerate(value))
    else:
        return as_tensor(value, name)
    examples(whole, name)
    return whole


def _target(value: object) -> object:
    if isinstance(value, Tensor | np.ndarray | list | tuple) or value is None:
        return value
    raise ValueError(
        f"y: got a {type(value).__name__}, must be a tensor, an array or a list with one target an example"
    )


def _of_torch(data: TorchDataset, argument: str) -> Pool:
    """Each example of a torch `Dataset`, once, in order."""
    return _collected(DataLoader(data, batch_size=64, collate_fn=_collate), _length(data), argument)


def _collate(batch: list[Any]) -> Any:  # noqa: ANN401
    return default_collate([_plain(example) for example in batch])


def _plain(example: Any) -> Any:  # noqa: ANN401
    """Pictures of Pillow as arrays, which torch can stack."""
    if isinstance(example, tuple | list):
        return tuple(_plain(each) for each in example)
    if isinstance(example, Mapping):
        return {key: _plain(each) for key, each in example.items()}
    return np.array(example) if hasattr(example, "getbands") else example


def _length(data: Any) -> int | None:  # noqa: ANN401
    """How many examples there are; None where that is not known."""
    try:
        return len(data)
    except (TypeError, NotImplementedError):
        return None


def _collected(loader: DataLoader, total: int | None, argument: str) -> Pool:
    """All batches of a loader as one; they are read once, with whatever they draw at random."""
    batches = []
    hidden = not sys.stderr.isatty()
    try:
        for batch in tqdm(loader, desc="reading examples", unit="batch", disable=hidden, leave=False):
            if not batches:
                _check_room(batch, total, argument)
            batches.append(batch)
    except ValueError:
        raise
    except Exception as error:  # whatever the data set of a user raises
        raise ValueError(f"{argument}: reading the examples raises {reason_of(error)}; repair the data set") from error
    if not batches:
        raise ValueError(f"{argument}: holds no examples; give at least one")
    return pool_of(_joined(batches, argument), argument)


def _check_room(batch: object, total: int | None, argument: str) -> None:
    first = batch[0] if isinstance(batch, tuple | list) else batch
    if isinstance(first, Tensor) and first.ndim and total:
        remedy = "save them as a file .npy, which is read batch by batch"
        check_room(argument, (total, *first.shape[1:]), first.element_size(), remedy)


def _joined(batches: list[Any], argument: str) -> Any:  # noqa: ANN401
    """Batches one after the other; text is kept as lists."""
    first = batches[0]
    if isinstance(first, Tensor):
        return torch.cat(batches)
    if isinstance(first, Mapping):
        return {key: _joined([batch[key] for batch in batches], argument) for key in first}
    if isinstance(first, tuple | list) and first and isinstance(first[0], str):
        return [text for batch in batches for text in batch]
    if isinstance(first, tuple | list):
        return tuple(_joined([batch[i] for batch in batches], argument) for i in range(len(first)))
    raise ValueError(f"{argument}: a batch is a {type(first).__name__}, must be {FORMS}")
