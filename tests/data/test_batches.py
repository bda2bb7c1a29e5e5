"""Batches are a pure function of the step; ranks share them; epochs are permutations."""

import itertools

import pytest
import torch

from learnsym.data import Batches, Dataset

DATA = Dataset(torch.arange(23.0)[:, None].expand(23, 2).contiguous(), torch.arange(23), classes=23)


def test_pure_function_of_step():
    forwards, backwards = Batches(DATA, 4, seed=3), Batches(DATA, 4, seed=3)
    steps = list(range(17))
    there = [forwards[step][1] for step in steps]
    back = [backwards[step][1] for step in reversed(steps)][::-1]
    assert all(torch.equal(a, b) for a, b in zip(there, back, strict=True))
    first = [y for _, y in itertools.islice(forwards, 17)]
    assert all(torch.equal(a, b) for a, b in zip(there, first, strict=True))


def test_each_epoch_is_a_permutation_without_its_rest():
    batches = Batches(DATA, 4)
    epochs = [torch.cat([batches[5 * epoch + k][1] for k in range(5)]) for epoch in range(3)]
    assert batches.steps_per_epoch == 5
    assert all(len(epoch.unique()) == 20 for epoch in epochs)
    assert not torch.equal(epochs[0], epochs[1])
    # What one epoch drops, others see.
    assert len(torch.cat(epochs).unique()) == 23


@pytest.mark.parametrize("world", [1, 2, 4])
def test_ranks_share_the_global_batch(world):
    whole = Batches(DATA, 8, seed=1)
    ranks = [Batches(DATA, 8, seed=1, rank=rank, world=world) for rank in range(world)]
    for step in (0, 1, 5):
        assert torch.equal(torch.cat([rank[step][1] for rank in ranks]), whole[step][1])
        assert all(torch.equal(rank.global_indices(step), whole.indices(step)) for rank in ranks)


def test_indices_name_the_examples():
    batches = Batches(DATA, 4, seed=2)
    x, y = batches[11]
    assert torch.equal(batches.indices(11), y)
    assert torch.equal(x[:, 0], y.float())


def test_seeds_differ():
    assert not torch.equal(Batches(DATA, 20, seed=0).indices(0), Batches(DATA, 20, seed=1).indices(0))


def test_bytes_become_floats():
    data = Dataset(torch.full((4, 1, 2, 2), 255, dtype=torch.uint8), torch.zeros(4, dtype=torch.long), classes=1)
    x, _ = Batches(data, 2)[0]
    assert x.dtype == torch.float32 and bool((x == 1.0).all())
    assert bool((data.x == 255).all())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 24}, r"\[1, 23\]"),
        ({"batch_size": 0}, r"\[1, 23\]"),
        ({"batch_size": 9, "world": 2}, "multiple"),
        ({"batch_size": 8, "world": 2, "rank": 2}, "rank"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        Batches(DATA, **options)


def test_negative_step():
    with pytest.raises(ValueError, match="step"):
        Batches(DATA, 4)[-1]
