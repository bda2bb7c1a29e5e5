"""A study whose trials take a tenth of a second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from learnsym.data.config import DataConfig
from learnsym.nets.config import NetConfig
from learnsym.training import RunConfig, TrainConfig
from learnsym.tuning import Range, SearchSpace, open_study
from learnsym.workers import locks_for

pytest.importorskip("optuna")
pytest.importorskip("sqlalchemy")


@pytest.fixture(scope="session")
def small() -> RunConfig:
    """Eight by eight digits, a narrow network, three steps."""
    return RunConfig(
        data=DataConfig(name="digits", size=8, train=64, val=32, test=32),
        net=NetConfig(name="mlp", width=8, depth=1),
        twin="plain",
        train=TrainConfig(steps=3, batch_size=16, eval_every=3, device="cpu"),
    )


@pytest.fixture(scope="session")
def rates() -> SearchSpace:
    """Learning rates alone."""
    return SearchSpace(parameters={"optimiser.lr": Range(low=1e-4, high=1e-1, log=True)})


@pytest.fixture
def begin(small, rates, tmp_path):
    """Begin or join a study in a journal file, or elsewhere."""

    def begin(name="study", storage=None, config=small, **space):
        where = storage or str(tmp_path / "study.journal")
        return open_study(name, where, config, replace(rates, **space), locks_for(where, tmp_path, name))

    return begin
