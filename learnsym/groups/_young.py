"""Young subgroups: the permutations that keep each class of a partition of positions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from learnsym.groups._finite import LISTED, MOST, Permutations
from learnsym.groups._matrix_group import Formulas, MatrixGroup

Classes = tuple[tuple[int, ...], ...]


def YoungSubgroup(N: int, classes: Sequence[Sequence[int]]) -> MatrixGroup:
    """The permutations of `N` positions that move each within its class, `S_{n_1} x S_{n_2} x ...`, as matrices.

    It is what holds where some positions are exchangeable and others are not. Up to 5040 elements are listed.

    Reference: James, "The representation theory of the symmetric groups" (1978), section 1.

    Args:
        N: number of positions.
        classes: disjoint sets of positions, counted from 0; a position that is in none is a class of its own.

    Raises:
        ValueError: when `N` is no whole number from 1 to 1000, or the classes are no disjoint sets of positions.

    Example:
        >>> group = ls.groups.YoungSubgroup(5, [[0, 1, 2], [3, 4]])
        >>> group, group.order
        (S{0,1,2} x S{3,4}, 12)
    """
    several = _checked(N, classes)
    order = math.prod(math.factorial(len(each)) for each in several)
    rows = [_order(N, several, within) for within in _every(several)] if order <= LISTED else [list(range(N))]
    return MatrixGroup(
        name=" x ".join(f"S{{{','.join(map(str, each))}}}" for each in several) or "trivial",
        space="index",
        generators=(),
        algebra=torch.zeros(0, N, N, dtype=torch.float64),
        components=torch.eye(N, dtype=torch.float64)[torch.tensor(rows)],
        is_compact=True,
        formulas=ClassPermutations(Permutations(N), several),
        elements_count=order,
    )


@dataclass(frozen=True)
class ClassPermutations(Formulas):
    """The permutations that keep each class."""

    every: Permutations
    classes: Classes

    def inverse(self, g: Tensor) -> Tensor:
        """The transpose."""
        return g.mT

    def exp(self, a: Tensor) -> Tensor:
        """The identity."""
        return self.every.exp(a)

    def log(self, g: Tensor) -> Tensor:
        """No coordinates."""
        return self.every.log(g)

    def haar(self, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
        """In each class the order of as many random numbers."""
        return self.sorting(torch.rand((*shape, self.every.N), device=like.device, generator=generator)).to(like.dtype)

    def sorting(self, u: Tensor) -> Tensor:
        """The permutation that sorts the numbers of each class."""
        order = torch.zeros_like(u, dtype=torch.long) + torch.arange(self.every.N, device=u.device)
        for each in self.classes:
            here = torch.tensor(each, device=u.device)
            order[..., here] = here[u[..., here].argsort(-1)]
        return torch.eye(self.every.N, dtype=u.dtype, device=u.device)[order]

    def log_haar(self, a: Tensor) -> Tensor:
        """0: the identity component has one element."""
        return self.every.log_haar(a)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """A permutation that takes nothing from one class to another."""
        same = torch.eye(self.every.N, dtype=torch.bool, device=g.device)
        for each in self.classes:
            here = torch.tensor(each, device=g.device)
            same[here[:, None], here] = True
        return self.every.contains(g, atol) & (torch.where(same, 0, g).abs().amax((-2, -1)) <= atol)

    def component(self, g: Tensor) -> Tensor:
        """The ranks within classes, of which the last counts fastest: the order of `elements()`."""
        rank = torch.zeros(g.shape[:-2], dtype=torch.long, device=g.device)
        for each in self.classes:
            here = torch.tensor(each, device=g.device)
            within = Permutations(len(each)).component(g[..., here[:, None], here])
            rank = rank * math.factorial(len(each)) + within
        return rank


def _every(classes: Classes) -> itertools.product:
    return itertools.product(*(itertools.permutations(each) for each in classes))


def _order(N: int, classes: Classes, within: Sequence[Sequence[int]]) -> list[int]:
    order = list(range(N))
    for places, values in zip(classes, within, strict=True):
        for place, value in zip(places, values, strict=True):
            order[place] = value
    return order


def _checked(N: int, classes: Sequence[Sequence[int]]) -> Classes:
    """The classes of several positions, sorted."""
    if isinstance(N, bool) or not isinstance(N, int) or not 1 <= N <= MOST:
        raise ValueError(f"N: got {N!r}, must be a whole number from 1 to {MOST}, the number of positions")
    named = [position for each in classes for position in each]
    odd = [position for position in named if not 0 <= position < N]
    if odd or len(set(named)) < len(named):
        raise ValueError(
            f"classes: got {[list(each) for each in classes]}, must be disjoint sets of positions from 0 to {N - 1}; "
            "name each position once, or leave it out where it is exchangeable with no other"
        )
    return tuple(sorted(tuple(sorted(each)) for each in classes if len(each) > 1))
