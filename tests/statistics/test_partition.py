"""Partitions: their distance is a metric, all of them are listed, and draws are uniform."""

import itertools

import pytest
import torch

from learnsym.statistics.partition import canonical, partition_distance, random_partition, set_partitions

BELL = [1, 1, 2, 5, 15, 52, 203]


@pytest.mark.parametrize("members", range(7))
def test_as_many_partitions_as_bell_numbers_and_each_once(members):
    found = [tuple(labels) for labels in set_partitions(members)]
    assert len(found) == len(set(found)) == BELL[members]
    assert all(canonical(torch.tensor(labels)).tolist() == list(labels) for labels in found if labels)


def test_distance_is_a_metric_on_all_partitions_of_four():
    every = [torch.tensor(labels) for labels in set_partitions(4)]
    d = torch.tensor([[partition_distance(a, b) for b in every] for a in every])
    assert torch.equal(d, d.mT) and torch.equal(d == 0, torch.eye(len(every)).bool())
    n = range(len(every))
    assert all(d[i, j] <= d[i, k] + d[k, j] for i, j, k in itertools.product(n, repeat=3))


def test_distance_is_the_fewest_members_that_move():
    """Breadth first over moves of one member, for all pairs of partitions of four."""
    every = [tuple(labels) for labels in set_partitions(4)]
    steps = {(a, a): 0 for a in every}
    for a in every:
        ring = {a}
        for count in range(1, 5):
            ring = {
                tuple(canonical(torch.tensor([*b[:i], new, *b[i + 1 :]])).tolist())
                for b in ring
                for i, new in itertools.product(range(4), repeat=2)
            }
            for b in ring:
                steps.setdefault((a, b), count)
    assert all(partition_distance(torch.tensor(a), torch.tensor(b)) == steps[a, b] for a in every for b in every)


def test_names_of_classes_mean_nothing():
    labels = torch.randint(5, (20,))
    assert partition_distance(labels, torch.randperm(5)[labels]) == 0
    assert partition_distance(torch.zeros(20).long(), torch.arange(20)) == 19
    with pytest.raises(ValueError, match=r"^b: got labels of 3 members beside 20"):
        partition_distance(labels, labels[:3])


def test_draws_are_uniform_among_partitions_of_so_many_classes():
    generator = torch.Generator().manual_seed(0)
    drawn = [tuple(random_partition(4, 2, generator).tolist()) for _ in range(2100)]
    counts = torch.tensor([drawn.count(each) for each in set(drawn)], dtype=torch.float64)
    assert len(counts) == 7  # S(4, 2)
    # chi-square with 6 degrees of freedom, 99.9 %
    assert float(((counts - 300).square() / 300).sum()) < 22.5


@pytest.mark.parametrize("classes", [0, 5])
def test_impossible_numbers_of_classes_are_refused(classes):
    with pytest.raises(ValueError, match=f"^classes: got {classes}"):
        random_partition(4, classes)
