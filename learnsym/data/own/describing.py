"""`describe`: what data are, and what is odd about them, before anything is trained."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from learnsym.actions import border_level
from learnsym.data.config import SPLITS, DataConfig
from learnsym.data.dataset import Dataset
from learnsym.data.splits import Splits, load_splits

LOOKED = 20_000
"""Examples of a split that are looked at, at most."""
BATCH = 256
FAR = 10.0
"""Size of inputs beyond which networks learn badly."""
SAMPLE = 512
"""Training images whose border is looked at."""
RARE = 0.1
"""Share of an even part below which a class is called rare."""


@dataclass(frozen=True)
class Description:
    """What data are, in words.

    Args:
        name: of the data.
        facts: shape, range, targets, splits, and how they were read.
        odd: what may be wrong with them; empty when nothing is.
        splits: the examples.
    """

    name: str
    facts: tuple[tuple[str, str], ...]
    odd: tuple[str, ...]
    splits: Splits = field(repr=False)

    def __str__(self) -> str:
        width = max(len(key) for key, _ in self.facts)
        lines = [f"{key:<{width}}  {text}" for key, text in self.facts]
        odd = [f"{'odd':<{width}}  {text}" for text in self.odd] or [f"{'odd':<{width}}  nothing was found"]
        return "\n".join([*lines, *odd])

    def sheet(self, path: str | Path) -> Path:
        """Write a sheet of examples as PNG, a row a class; see `learnsym.data.own.sheet`.

        Raises:
            ValueError: when they are no images or volumes.
        """
        from learnsym.data.own.sheet import write_sheet

        return write_sheet(self.splits.train, Path(path))


@dataclass
class _Looked:
    """What a pass over the examples of a split finds."""

    count: int = 0
    low: float = float("inf")
    high: float = float("-inf")
    total: float = 0.0
    square: float = 0.0
    constant: int = 0
    digests: dict[bytes, Any] = field(default_factory=dict)
    contradicting: int = 0


def describe(source: str | DataConfig, **keys: Any) -> Description:  # noqa: ANN401  keys of `DataConfig`
    """What data are and what is odd about them: one pass over at most 20,000 examples of each split.

    Args:
        source: a name, a file, a folder or FILE.py:function, or a config.
        keys: of `DataConfig`, such as `layout` or `size`.

    Raises:
        ValueError: when the data cannot be read.

    Example:
        >>> print(ls.data.describe("digits", train=100, val=50, test=50))
        inputs   (1, 28, 28) float32 in [0, 1], mean 0.144, deviation 0.309
        targets  10 classes: 0 (12), 1 (11), 2 (13), 3 (9), 4 (9), 5 (8), 6 (7), 7 (13) and 2 more
        splits   100 train, 50 val, 50 test
        odd      nothing was found
    """
    config = source if isinstance(source, DataConfig) else DataConfig(name=source, **keys)
    splits = load_splits(config)
    looked = {split: _look(getattr(splits, split)) for split in SPLITS}
    train = splits.train
    facts = [("inputs", _inputs(train, looked["train"])), ("targets", _targets(train)), ("splits", _sizes(splits))]
    facts += [("read", note) for note in train.notes]
    return Description(config.title, tuple(facts), tuple(_odd(splits, looked)), splits)


def _look(data: Dataset) -> _Looked:
    found = _Looked()
    for rows in torch.arange(min(len(data), LOOKED)).split(BATCH):
        part = data.subset(rows)
        x = part.batch(torch.arange(len(rows)))[0]
        moving = (x if isinstance(x, Tensor) else Dataset(x, part.y, moves=data.moves).moving)[:]
        _add(found, moving, part.y)
    return found


def _add(found: _Looked, x: Tensor, y: Tensor) -> None:
    flat = x.reshape(len(x), -1).double()
    found.count += flat.numel()
    found.low, found.high = min(found.low, flat.min().item()), max(found.high, flat.max().item())
    found.total += flat.sum().item()
    found.square += flat.square().sum().item()
    found.constant += int((flat.amax(1) == flat.amin(1)).sum())
    for example, target in zip(x, y.reshape(len(y), -1), strict=True):
        digest = hashlib.blake2b(example.contiguous().numpy().tobytes(), digest_size=16).digest()
        known = found.digests.setdefault(digest, target.tolist())
        found.contradicting += known != target.tolist()


def _inputs(data: Dataset, looked: _Looked) -> str:
    mean = looked.total / looked.count
    deviation = max(looked.square / looked.count - mean**2, 0.0) ** 0.5
    dtype = str(data.moving.dtype).removeprefix("torch.")
    several = f", {data.moves!r} of several inputs" if data.moves else ""
    return (
        f"{data.in_shape} {dtype} in [{looked.low:.3g}, {looked.high:.3g}], mean {mean:.3g}, "
        f"deviation {deviation:.3g}{several}"
    )


def _targets(data: Dataset) -> str:
    if not data.has_targets:
        return "none"
    if not data.classes:
        return f"numbers of shape {tuple(data.y.shape[1:])} in [{data.y.min():.3g}, {data.y.max():.3g}]"
    if data.y.ndim > 1:
        return f"label maps {tuple(data.y.shape[1:])} of {data.classes} classes"
    counts = torch.bincount(data.y, minlength=data.classes).tolist()
    told = [f"{_class_name(data, k)} ({count})" for k, count in enumerate(counts)]
    more = f" and {len(told) - 8} more" if len(told) > 8 else ""
    return f"{data.classes} classes: {', '.join(told[:8])}{more}"


def _class_name(data: Dataset, k: int) -> str:
    return data.class_names[k] if data.class_names else str(k)


def _sizes(splits: Splits) -> str:
    return ", ".join(f"{len(getattr(splits, split))} {split}" for split in SPLITS)


def _odd(splits: Splits, looked: dict[str, _Looked]) -> list[str]:
    train = splits.train
    return [*_values(train, looked), *_copies(splits, looked), *_balance(train)]


def _values(train: Dataset, looked: dict[str, _Looked]) -> list[str]:
    found = []
    low, high = min(each.low for each in looked.values()), max(each.high for each in looked.values())
    for split, each in looked.items():
        if each.constant:
            found.append(f"{each.constant} {split} examples are constant: all their numbers are equal")
    if max(-low, high) > FAR:
        found.append(f"inputs reach from {low:.3g} to {high:.3g}: networks want them near [0, 1], divide them")
    found += _border(train)
    if len(train) > LOOKED:
        found.append(f"only the first {LOOKED} examples of each split were looked at")
    return found


def _border(train: Dataset) -> list[str]:
    if len(train.in_shape) not in (3, 4):
        return []
    some = train.subset(torch.arange(min(len(train), SAMPLE))).moving[:]
    level = border_level(some)
    if level is not None and not level.any():
        return []
    told = "of no one value" if level is None else f"at {', '.join(f'{float(each):.2g}' for each in level[:4])}"
    return [f"the border is not black but {told}: turns and shifts bring black in from outside"]


def _copies(splits: Splits, looked: dict[str, _Looked]) -> list[str]:
    found = []
    for split, each in looked.items():
        copies = min(len(getattr(splits, split)), LOOKED) - len(each.digests)
        if copies:
            found.append(f"{copies} {split} examples are copies of others in {split}")
        if each.contradicting:
            found.append(f"{each.contradicting} copies in {split} have other targets than their originals")
    for first, second in (("train", "val"), ("train", "test"), ("val", "test")):
        shared = len(looked[first].digests.keys() & looked[second].digests.keys())
        if shared:
            found.append(f"{shared} {second} examples are in {first} too: scores on them say too much")
    return found


def _balance(train: Dataset) -> list[str]:
    if not train.classes or train.y.ndim != 1:
        return []
    counts = Counter(train.y.tolist())
    even = len(train) / train.classes
    missing = [_class_name(train, k) for k in range(train.classes) if not counts[k]]
    rare = [f"{_class_name(train, k)} ({counts[k]})" for k in range(train.classes) if 0 < counts[k] < RARE * even]
    found = [f"no training example has class {', '.join(missing[:6])}"] if missing else []
    return found + ([f"classes with few training examples: {', '.join(rare[:6])}"] if rare else [])
