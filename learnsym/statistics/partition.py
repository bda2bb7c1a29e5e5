"""Partitions: classes of what is alike.

Legend of axes: `N` members. Labels give the class of each member; which number a class has means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import scipy
import torch
from jaxtyping import Bool, Int
from torch import Tensor


def connected(alike: Bool[Tensor, "N N"]) -> list[list[int]]:
    """The connected components of a graph: the finest partition in which all that are alike are in one class.

    Args:
        alike: symmetric; the diagonal is not read.

    Example:
        >>> from learnsym.statistics.partition import connected
        >>> connected(torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]]).bool())
        [[0, 1], [2]]
    """
    label = list(range(len(alike)))
    for i, j in alike.nonzero().tolist():
        old, new = max(label[i], label[j]), min(label[i], label[j])
        label = [new if each == old else each for each in label]
    return [[i for i, each in enumerate(label) if each == name] for name in sorted(set(label))]


def canonical(labels: Int[Tensor, "N"]) -> Int[Tensor, "N"]:
    """The same partition with classes numbered from 0 in the order of their first members.

    Example:
        >>> from learnsym.statistics.partition import canonical
        >>> canonical(torch.tensor([7, 2, 7, 0])).tolist()
        [0, 1, 0, 2]
    """
    number: dict[int, int] = {}
    return torch.tensor([number.setdefault(label, len(number)) for label in labels.tolist()])


def partition_distance(a: Int[Tensor, "N"], b: Int[Tensor, "M"]) -> int:
    """The fewest members that have to change their class for two partitions to be equal.

        N - max_σ Σ_j |a_j ∩ b_σ(j)|,    σ one to one between classes

    A metric on partitions; 0 exactly for the same partition, whatever its classes are called.

    Reference: Gusfield, "Partition-distance" (2002); for learned sharing Yeh et al. (2022), arXiv 2204.03640.

    Args:
        a, b: labels of the same members, `M = N`.

    Raises:
        ValueError: for labels of different numbers of members.

    Example:
        >>> from learnsym.statistics.partition import partition_distance
        >>> partition_distance(torch.tensor([0, 0, 1, 1]), torch.tensor([5, 5, 5, 3]))
        1
    """
    if len(a) != len(b):
        raise ValueError(f"b: got labels of {len(b)} members beside {len(a)} in a, must be of the same members")
    first, second = canonical(a), canonical(b)
    overlap = torch.zeros(len(a), len(a), dtype=torch.long)
    overlap.index_put_((first, second), torch.ones_like(first), accumulate=True)
    rows, columns = scipy.optimize.linear_sum_assignment(overlap.numpy(), maximize=True)
    return len(a) - int(overlap[rows, columns].sum())


def set_partitions(members: int) -> Iterator[list[int]]:
    """All partitions, as canonical labels: 1, 2, 5, 15, 52, 203, ... of them (Bell numbers).

    Example:
        >>> from learnsym.statistics.partition import set_partitions
        >>> list(set_partitions(3))
        [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 1, 2]]
    """
    grown: list[list[int]] = [[]]
    for _ in range(members):
        # the next member joins a class that there is, or begins one
        grown = [[*labels, new] for labels in grown for new in range(max(labels, default=-1) + 2)]
    yield from grown


def random_partition(members: int, classes: int, generator: torch.Generator | None = None) -> Int[Tensor, "N"]:
    """A partition into so many classes, uniform among all of them.

    The last member is alone in a class with the share `S(n - 1, k - 1) / S(n, k)` of all partitions, by the recursion
    of Stirling numbers `S(n, k) = S(n - 1, k - 1) + k S(n - 1, k)`.

    Args:
        members: `n`.
        classes: `k`.
        generator: of the draws; torch's own when None.

    Raises:
        ValueError: for more classes than members, or none.

    Example:
        >>> from learnsym.statistics.partition import random_partition
        >>> len(random_partition(5, 3, torch.Generator().manual_seed(0)).unique())
        3
    """
    if not 1 <= classes <= members:
        raise ValueError(f"classes: got {classes}, must lie between 1 and the number of members, {members}")
    number = _stirling(members, classes)
    labels, k = [0] * members, classes
    for n in range(members, 0, -1):
        is_alone = float(torch.rand((), generator=generator)) < number[n - 1][k - 1] / number[n][k]
        labels[n - 1] = k - 1 if is_alone else int(torch.randint(k, (), generator=generator))
        k -= is_alone
    return canonical(torch.tensor(labels))


def _stirling(members: int, classes: int) -> list[list[int]]:
    """`S(n, k)` for all `n` up to `members` and `k` up to `classes`."""
    number = [[1] + [0] * classes]
    for _ in range(members):
        last = number[-1]
        number.append([0] + [last[k - 1] + k * last[k] for k in range(1, classes + 1)])
    return number
