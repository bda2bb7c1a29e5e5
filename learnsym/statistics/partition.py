"""Partitions: classes of what is alike.

Legend of axes: `N` members.
"""

from __future__ import annotations

from jaxtyping import Bool
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
