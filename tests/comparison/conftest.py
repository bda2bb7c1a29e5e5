"""A comparison of two seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from learnsym.comparison import ComparisonConfig

BASE = {
    "data": {"name": "digits", "size": 8, "train": 64, "val": 32, "test": 32},
    "net": {"name": "mlp", "width": 8, "depth": 1},
    "method": {"test_copies": 2},
    "train": {"steps": 6, "batch_size": 16, "checkpoint_every": 2, "device": "cpu"},
}


@pytest.fixture(scope="session")
def small() -> ComparisonConfig:
    """Two arms, two sizes of data, two seeds."""
    arms = {"plain": {"twin": "plain"}, "learned": {}}
    return ComparisonConfig(base=BASE, arms=arms, train_sizes=[32, 64], seeds=[0, 1])


@pytest.fixture(scope="session")
def with_values():
    """A comparison with other values."""
    return lambda config, **values: replace(config, **values)
