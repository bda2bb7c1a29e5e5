"""Splits: training, validation and test examples of one config, without overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from learnsym._memory import check_fits
from learnsym.data.centring import centred
from learnsym.data.config import SPLITS, DataConfig
from learnsym.data.dataset import Dataset
from learnsym.data.molecules.targets import about_training_mean
from learnsym.data.own import read_own
from learnsym.data.own.npy import fits_in_memory
from learnsym.data.own.splitting import split as split_own
from learnsym.data.planting import plant
from learnsym.data.registry import source_by_name
from learnsym.data.resizing import fit_any
from learnsym.data.rows import Rows
from learnsym.data.seeding import generator
from learnsym.data.source import Sizes

LEAST = 100.0
"""Bytes that an example has at the least."""


@dataclass(frozen=True)
class Splits:
    """Training, validation and test examples."""

    train: Dataset
    val: Dataset
    test: Dataset


def load_splits(config: DataConfig) -> Splits:
    """Load what a config asks for: choose, resize, plant.

    A permutation seeded by `config.seed` orders each pool. Validation examples are the first of the training pool (or
    of the authors' validation set), training examples the next ones: a larger training set contains a smaller one, and
    neither meets the validation set. Test examples come from the official test set. For data of one's own see
    `learnsym.data.own.splitting.split`.

    Raises:
        ValueError: when files are missing or corrupt, or more examples are asked for than exist.

    Example:
        >>> splits = ls.data.load_splits(ls.data.DataConfig(name="digits", train=100))
        >>> splits.train.x.shape, len(splits.test)
        (torch.Size([100, 1, 28, 28]), 400)
    """
    chosen = about_training_mean(_chosen(config))
    return Splits(**{split: _finish(chosen[split], config, split) for split in SPLITS})


def load_each(configs: Sequence[DataConfig]) -> list[Splits]:
    """What each config asks for; equal configs share theirs in memory."""
    loaded: dict[str, Splits] = {}
    for config in configs:
        if repr(config) not in loaded:
            loaded[repr(config)] = load_splits(config)
    return [loaded[repr(config)] for config in configs]


def load(name: str, split: str = "train", config: DataConfig | None = None) -> Dataset:
    """One split of a data set by name, by default as many examples as usual.

    Example:
        >>> ls.data.load("digits", split="test").in_shape
        (1, 28, 28)
    """
    if split not in SPLITS:
        raise ValueError(f"split: got {split!r}, must be one of {', '.join(SPLITS)}")
    config = replace(config or DataConfig(), name=name, label="")
    return _finish(about_training_mean(_chosen(config))[split], config, split)


def training_examples(config: DataConfig) -> int:
    """Number of training examples of a config."""
    if config.train is not None or config.place is None:
        return config.train or source_by_name(config.name).sizes.train
    return len(_chosen(config)["train"])


def _chosen(config: DataConfig) -> dict[str, Dataset]:
    if config.place is not None:
        wanted = {split: getattr(config, split) for split in SPLITS}
        return split_own(read_own(config.place, config.reading), wanted, config.seed)
    source = source_by_name(config.name)
    sizes = _sizes(config, source.sizes)
    for split, count in zip(SPLITS, sizes, strict=True):
        check_fits(f"data.{split}", count, LEAST * count, "examples")
    if source.on_sphere is not None:
        return _choose(source.on_sphere(sizes, config.seed, config.size, config.sphere), sizes, config)
    read = source.with_energies if config.energies else source.read
    assert read is not None  # since the config was checked
    return _choose(read(sizes, config.seed), sizes, config)


def _sizes(config: DataConfig, usual: Sizes) -> Sizes:
    return Sizes(*(getattr(config, split) or getattr(usual, split) for split in SPLITS))


def _choose(pools: dict[str, Dataset], sizes: Sizes, config: DataConfig) -> dict[str, Dataset]:
    from_train = 0 if "val" in pools else sizes.val
    _check("train", from_train + sizes.train, pools, config)
    _check("test", sizes.test, pools, config)
    mixed = {name: _shuffled(pool, config.seed, i) for i, (name, pool) in enumerate(pools.items())}
    val_pool, val_order = mixed.get("val", mixed["train"])
    _check("val", sizes.val, {"val": val_pool}, config)
    train_pool, train_order = mixed["train"]
    test_pool, test_order = mixed["test"]
    return {
        "train": train_pool.subset(train_order[from_train : from_train + sizes.train]),
        "val": val_pool.subset(val_order[: sizes.val]),
        "test": test_pool.subset(test_order[: sizes.test]),
    }


def _shuffled(pool: Dataset, seed: int, number: int) -> tuple[Dataset, Tensor]:
    return pool, torch.randperm(len(pool), generator=generator(seed, 1, number))


def _check(split: str, wanted: int, pools: dict[str, Dataset], config: DataConfig) -> None:
    exist = len(pools[split])
    if wanted > exist:
        shared = split == "train" and "val" not in pools
        what = "training and validation examples together" if shared else "examples"
        raise ValueError(
            f"data.{split}: {wanted} {what} asked for, {config.name} has {exist}; "
            f"lower data.{split}{' or data.val' if shared else ''}"
        )


def _finish(dataset: Dataset, config: DataConfig, split: str) -> Dataset:
    planted = not config.plant.is_trivial and split in config.plant.splits
    if config.size is not None and not isinstance(dataset.x, Rows):
        channels, *sides = dataset.in_shape
        check_fits("data.size", config.size, 4.0 * len(dataset) * channels * config.size ** len(sides), "images")
    sized = _resized(dataset, config)
    if isinstance(sized.x, Rows) and fits_in_memory(sized.x):
        sized = replace(sized, x=sized.x[:])
    sized = replace(sized, x=sized.inputs)
    if config.centred:
        sized = centred(sized)
    if not planted:
        return sized
    # The stream of draws differs between splits.
    return plant(sized, config.plant, seed=4 * config.seed + SPLITS.index(split))


def _resized(dataset: Dataset, config: DataConfig) -> Dataset:
    resize = fit_any if config.place is not None else source_by_name(config.name).resize
    return resize(dataset, config.size)
