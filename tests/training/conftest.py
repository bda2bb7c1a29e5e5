"""A run that takes a second."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import learnsym as ls
from learnsym.data.config import DataConfig
from learnsym.methods import registry
from learnsym.nets.config import NetConfig
from learnsym.objectives.choosers import TrainingLoss
from learnsym.training import OptimiserConfig, RunConfig, TrainConfig


@pytest.fixture(scope="session")
def tiny() -> RunConfig:
    """Eight by eight digits, a narrow network, a dozen steps."""
    return RunConfig(
        data=DataConfig(name="digits", size=8, train=64, val=32, test=32),
        net=NetConfig(name="mlp", width=16, depth=1),
        method=registry["augerino"](symmetry="affine2d", test_copies=2, weight=0.05),
        chooser=TrainingLoss(),
        optimiser=OptimiserConfig(lr=3e-2),
        train=TrainConfig(steps=12, batch_size=16, checkpoint_every=5, eval_every=4, device="cpu"),
    )


@pytest.fixture(scope="session")
def with_train():
    """A configuration with other values in its section `train`."""
    return lambda config, **values: replace(config, train=replace(config.train, **values))


def toy(seed: int = 0):
    """A model, an objective and batches of a problem that a linear map solves."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(64, 3, generator=generator)
    y = (x[:, 0] > 0).long()
    torch.manual_seed(seed)
    model = torch.nn.Linear(3, 2)
    return model, ls.objectives.Supervised(torch.nn.functional.cross_entropy), ls.data.Dataset(x, y, classes=2)


@pytest.fixture(name="toy")
def _toy():
    return toy
