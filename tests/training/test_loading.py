"""Law of loaders: a fit that is stopped at any step and resumed sees the batches of an undisturbed one, or warns."""

from __future__ import annotations

import os
import signal

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

import learnsym as ls
from learnsym.training import Interrupted, Run, TrainConfig, fit
from learnsym.training.loading import batches, digest, doubt

BATCHES = [(torch.full((2, 3), float(k)), torch.tensor([0, 1])) for k in range(5)]
DATASET = TensorDataset(torch.arange(24.0)[:, None].expand(24, 3), torch.arange(24) % 2)
STEPS = 13


class Noisy(TensorDataset):
    """Draws when an example is loaded, as random transformations do; counts what is loaded."""

    loaded = 0

    def __getitem__(self, index):
        Noisy.loaded += 1
        x, y = super().__getitem__(index)
        return x + torch.rand(()), y


class Own:
    """An iterable of unknown length, which draws the order of an epoch at its begin."""

    def __iter__(self):
        for k in torch.randperm(5):
            yield BATCHES[k]


class Sized(Own):
    def __len__(self):
        return 5


class Liar(Sized):
    def __len__(self):
        return 7


def sampler(dataset):
    return BatchSampler(RandomSampler(dataset), 5, drop_last=False)


LOADERS = {
    "list": lambda: BATCHES,
    "tuple": lambda: tuple(BATCHES),
    "in order": lambda: DataLoader(DATASET, 5),
    "shuffled": lambda: DataLoader(DATASET, 5, shuffle=True),
    "dropped": lambda: DataLoader(DATASET, 5, shuffle=True, drop_last=True),
    "replaced": lambda: DataLoader(DATASET, sampler=RandomSampler(DATASET, replacement=True), batch_size=5),
    "batch sampler": lambda: DataLoader(DATASET, batch_sampler=sampler(DATASET)),
    "noisy": lambda: DataLoader(Noisy(*DATASET.tensors), 5, shuffle=True),
    "unbatched": lambda: DataLoader(DATASET, batch_size=None, shuffle=True),
    "unsized": Own,
    "sized": Sized,
    "dictionaries": lambda: [{"x": x, "y": [y]} for x, y in BATCHES],
}


def seeding(step):
    torch.manual_seed(1000 + step)


def seen(loader, first, last):
    source, found = batches(loader, first, seeding), []
    for step in range(first, last):
        seeding(step)
        found.append((digest(next(source)), torch.rand(())))
    return found


@pytest.mark.parametrize("name", LOADERS)
def test_entered_at_any_step(name):
    whole = seen(LOADERS[name](), 0, STEPS)
    assert len({batch for batch, _ in whole[:4]}) == 4
    for step in range(1, STEPS):
        assert seen(LOADERS[name](), step, STEPS) == whole[step:], step
    assert not doubt(LOADERS[name]())


@pytest.mark.slow
def test_entered_with_workers():
    make = lambda: DataLoader(DATASET, 5, shuffle=True, num_workers=2)  # noqa: E731
    whole = seen(make(), 0, 8)
    assert seen(make(), 7, 8) == whole[7:]


def test_nothing_is_loaded_in_vain():
    loader, Noisy.loaded = DataLoader(Noisy(*DATASET.tensors), 5), 0
    seen(loader, 4004, 4005)
    assert Noisy.loaded == 4


def test_other_length_than_it_says():
    assert len(seen(Liar(), 6, 20)) == 14


def test_an_iterator_that_has_ended():
    with pytest.raises(ValueError, match="gave no batch"):
        seen(iter(BATCHES), 0, 6)
    with pytest.raises(ValueError, match="gave no batch"):
        seen(iter(BATCHES), 8, 9)
    assert seen((batch for batch in BATCHES), 3, 5) == seen(BATCHES, 3, 5)


@pytest.mark.parametrize("value", [torch.tensor(1.5), torch.zeros(2, dtype=torch.bfloat16), torch.ones(2) + 1j])
def test_digests(value):
    assert digest({"a": value}) == digest({"a": value.clone()})
    assert digest({"a": value}) != digest({"a": value + 1}) != digest({"b": value + 1})


def interrupted(loaders, path, config):
    """Weights of a fit that is stopped and resumed, each time with a loader of its own."""
    train = TrainConfig(steps=STEPS, eval_every=7)
    stop = lambda model: os.kill(os.getpid(), signal.SIGTERM) or {}  # noqa: E731
    objective, run = ls.objectives.Supervised(torch.nn.functional.cross_entropy), Run.create(path, config)
    with pytest.raises(Interrupted):
        fit(linear(), objective, loaders[0], train=train, run=run, validate=stop)
    model = linear()
    fit(model, objective, loaders[1], train=train, run=Run(path))
    return model.weight


def linear():
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


@pytest.mark.parametrize("name", ["list", "noisy", "unsized"])
def test_resumed_fits_end_with_the_same_weights(tiny, tmp_path, caplog, name):
    whole = linear()
    fit(whole, ls.objectives.Supervised(torch.nn.functional.cross_entropy), LOADERS[name](), steps=STEPS)
    found = interrupted([LOADERS[name](), LOADERS[name]()], tmp_path / "run", tiny)
    assert torch.equal(found, whole.weight) and "loader" not in caplog.text


def own_generator():
    return DataLoader(DATASET, 5, shuffle=True, generator=torch.Generator().manual_seed(0))


def endless():
    while True:
        yield from BATCHES


@pytest.mark.parametrize("make", [own_generator, endless])
def test_what_cannot_be_told_in_advance_is_said(tiny, tmp_path, caplog, make):
    interrupted([make(), make()], tmp_path / "run", tiny)
    assert caplog.text.count("may not be the same bit for bit") == 2


def test_other_batches_are_noticed(tiny, tmp_path, caplog):
    interrupted([BATCHES, BATCHES[1:] + BATCHES[:1]], tmp_path / "run", tiny)
    assert "batch 8 is not the one that was trained on" in caplog.text
