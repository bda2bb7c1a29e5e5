"""Training, validation and test examples of data that come without them: drawn once, by class."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.own.npy import IN_MEMORY
from learnsym.data.seeding import generator

SHARE = 0.15
"""Of all examples, for a split that the source has not."""
SPLITS = ("train", "val", "test")


def split(pools: dict[str, Dataset], wanted: dict[str, int | None], seed: int) -> dict[str, Dataset]:
    """Three splits of the pools of a source.

    A split that the source has is taken as it is, in a seeded order. A split that it has not is cut from its training
    pool: 15 % of it, or as many as are wanted, and no more by default than fit into memory. The pool is in a seeded
    order of which each beginning has all classes in their proportions; test examples come first in it, then validation
    examples, then training examples: a larger training set contains a smaller one, and neither meets the others.

    Args:
        pools: of the source, with `train`.
        wanted: numbers of examples that were asked for, None for the usual ones.
        seed: determines the order.

    Raises:
        ValueError: when there are fewer examples than are wanted, or than three splits need.
    """
    pool = pools["train"]
    counts = {name: wanted[name] or _usual(pool) for name in ("test", "val") if name not in pools}
    left = len(pool) - sum(counts.values())
    train = left if wanted["train"] is None else wanted["train"]
    _check(pool, counts, train, left)
    order, begin, chosen = balanced_order(pool, seed), 0, {}
    for name, number in (*counts.items(), ("train", train)):
        chosen[name] = pool.subset(order[begin : begin + number])
        begin += number
    for number, name in enumerate(SPLITS[1:], 1):
        if name in pools:
            chosen[name] = _given(pools[name], wanted[name], name, seed + number)
    return _said(chosen, counts, pool, seed)


def balanced_order(pool: Dataset, seed: int) -> Tensor:
    """A seeded order of examples of which each beginning has every class in its proportion, up to one example."""
    place = torch.randperm(len(pool), generator=generator(seed, 1, 0))
    if not pool.classes or pool.y.ndim != 1:
        return place
    random = torch.rand(pool.classes, generator=generator(seed, 1, 1)).double()
    labels = pool.y[place]
    by_class = torch.argsort(labels, stable=True)
    sizes = torch.bincount(labels, minlength=pool.classes)
    starts = sizes.cumsum(0) - sizes
    rank = torch.empty_like(labels)
    rank[by_class] = torch.arange(len(pool)) - starts[labels[by_class]]
    return place[torch.argsort((rank + random[labels]) / sizes[labels], stable=True)]


def _usual(pool: Dataset) -> int:
    numbers = max(1, torch.Size(pool.in_shape).numel())
    return max(1, min(round(SHARE * len(pool)), IN_MEMORY // (4 * numbers)))


def _check(pool: Dataset, counts: dict[str, int], train: int, left: int) -> None:
    if left < 1 and len(pool) <= len(counts):
        raise ValueError(
            f"data: {pool.name} has {len(pool)} examples, too few for {len(counts) + 1} splits; give at least "
            f"{len(counts) + 1}"
        )
    if train > left:
        cut = " and ".join(f"{number} {name}" for name, number in counts.items())
        cut = f" beside {cut} examples" if cut else ""
        raise ValueError(
            f"data.train: {train} training examples asked for{cut}, {pool.name} has {len(pool)}; lower data.train"
            + "".join(f" or data.{name}" for name in counts)
        )
    if left < 1:
        raise ValueError(
            f"data.test: {' and '.join(f'{number} {name}' for name, number in counts.items())} examples leave none of "
            f"the {len(pool)} of {pool.name} for training; lower them"
        )


def _given(pool: Dataset, wanted: int | None, name: str, seed: int) -> Dataset:
    if wanted is not None and wanted > len(pool):
        raise ValueError(f"data.{name}: {wanted} examples asked for, {pool.name} has {len(pool)}; lower data.{name}")
    return pool.subset(balanced_order(pool, seed)[:wanted])


def _said(chosen: dict[str, Dataset], counts: dict[str, int], pool: Dataset, seed: int) -> dict[str, Dataset]:
    sizes = ", ".join(f"{len(chosen[name])} {name}" for name in SPLITS)
    by_class = " by class" if pool.classes and pool.y.ndim == 1 else ""
    cut = f"{' and '.join(counts)} drawn from train{by_class}, seed {seed}" if counts else "splits of the source"
    notes = (f"{sizes}: {cut}", *_absent(chosen["train"]))
    return {name: replace(each, notes=(*each.notes, *notes)) for name, each in chosen.items()}


def _absent(train: Dataset) -> tuple[str, ...]:
    """Classes without a training example."""
    if not train.classes or train.y.ndim != 1:
        return ()
    missing = (torch.bincount(train.y, minlength=train.classes) == 0).nonzero()[:, 0].tolist()
    names = [train.class_names[each] if train.class_names else str(each) for each in missing]
    return (f"no training example has class {', '.join(names[:6])}",) if names else ()
