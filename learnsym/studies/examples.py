"""The examples of a study: from whatever holds them to three splits."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace

import torch
from torch import Tensor

from learnsym.data import DataConfig, Dataset, Splits, as_dataset, load_splits
from learnsym.objectives.losses import LossConfig
from learnsym.parts import tensors_in

logger = logging.getLogger(__name__)

HELD_OUT = 0.15
"""Share of the training examples that become validation or test examples, where these are not given."""
Data = object
"""A `Dataset`, arrays or tensors `(x, y)`, a torch `Dataset`, a `DataLoader`, or a source in words."""


def splits_of(train: Data, val: Data | None, test: Data | None, label: str = "") -> Splits:
    """Training, validation and test examples; what is not given is taken from the training examples, which is said.

    Args:
        train: examples, or a source in words such as `digits` or a folder of images, whose own splits are taken.
        val, test: examples; None for some of the training examples.
        label: what tables and figures call the data; by default the name of the source.

    Raises:
        ValueError: when examples are of another form, or splits do not fit each other.
    """
    if isinstance(train, str) and val is None and test is None:
        return load_splits(DataConfig(name=train, label=label))
    parts = {name: _dataset(name, data) for name, data in (("train", train), ("val", val), ("test", test))}
    whole = parts["train"]
    assert whole is not None
    for name in ("test", "val"):
        if parts[name] is None:
            whole, parts[name] = _cut(whole, name)
    return _matched(Splits(train=whole, val=_given(parts["val"]), test=_given(parts["test"])))


def digest(splits: Splits) -> str:
    """What tells examples from others: a hash of their shapes, their targets and the first inputs."""
    found = hashlib.blake2b(digest_size=16)
    for part in (splits.train, splits.val, splits.test):
        few = part.subset(torch.arange(min(len(part), 64)))
        inputs, _ = few.batch(torch.arange(len(few)))
        for key, tensor in (("y", part.y), *tensors_in(inputs)):
            found.update(f"{key} {tuple(tensor.shape)} {tensor.dtype}".encode())
            found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def guessed_loss(data: Dataset) -> LossConfig:
    """Cross-entropy for labels, squared error for numbers; which is said."""
    name = "mse" if not data.classes else "segmentation" if data.y.dim() > 1 else "cross_entropy"
    what = "numbers" if not data.classes else f"labels of {data.classes} classes"
    logger.info("loss: %s, since the targets are %s; give loss for another", name, what)
    return LossConfig(name=name, ignore=data.ignore if name == "segmentation" else None)


def _dataset(name: str, data: Data | None) -> Dataset | None:
    if data is None or isinstance(data, Dataset):
        return data
    if isinstance(data, str):
        raise ValueError(
            f"{name}: got the source {data!r}, must be examples; give a source as train alone, with its splits"
        )
    return as_dataset(data)


def _given(part: Dataset | None) -> Dataset:
    assert part is not None
    return part


def _cut(data: Dataset, name: str) -> tuple[Dataset, Dataset]:
    """The examples but for some at random, and these."""
    count = max(1, round(HELD_OUT * len(data)))
    if len(data) <= 2 * count:
        raise ValueError(f"train: got {len(data)} examples, too few to keep some for {name}; give {name}")
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    logger.info("%s: %d of the %d training examples are kept for it", name, count, len(data))
    return data.subset(order[count:].sort().values), data.subset(order[:count].sort().values)


def _matched(splits: Splits) -> Splits:
    """The splits with one number of classes; they must have one shape and one kind of targets."""
    parts = {"train": splits.train, "val": splits.val, "test": splits.test}
    for name, part in parts.items():
        if part.in_shape != splits.train.in_shape or bool(part.classes) != bool(splits.train.classes):
            raise ValueError(
                f"{name}: got examples of shape {part.in_shape} with {_kind(part)}, those of train are of shape "
                f"{splits.train.in_shape} with {_kind(splits.train)}; give all in one form"
            )
    classes = max(part.classes for part in parts.values())
    return Splits(**{name: _with_classes(part, classes) for name, part in parts.items()})


def _kind(part: Dataset) -> str:
    return "labels" if part.classes else "numbers"


def _with_classes(part: Dataset, classes: int) -> Dataset:
    return part if part.classes == classes else replace(part, classes=classes)


def in_memory(data: Dataset) -> Dataset:
    """The same examples as tensors in memory, where they are rows of a file."""
    if isinstance(data.x, Tensor | dict | tuple):
        return data
    return replace(data, x=data.batch(torch.arange(len(data)))[0])
