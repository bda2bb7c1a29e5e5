"""Finite groups: cyclic, dihedral, symmetric and trivial; all elements are listed, save for large symmetric groups."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from learnsym._constant import constant
from learnsym.groups._group import Group
from learnsym.groups._matrix_group import Formulas, MatrixGroup
from learnsym.groups._planar import FLIP

LISTED = 5040
"""Most elements of a group of permutations that are listed: those of 7 points; 8 points have 40320."""
MOST = 1000
"""Largest `N`: tables of a group hold a number for each pair of elements, and permutations are `N x N` matrices."""


def Cyclic(N: int) -> MatrixGroup:
    """Rotations of the plane by multiples of `360° / N`, counter-clockwise in the order of `elements()`.

    Raises:
        ValueError: when `N` is no whole number from 1 to 1000.

    Example:
        >>> ls.groups.Cyclic(4).elements()[1]
        tensor([[ 0., -1.],
                [ 1.,  0.]])
    """
    return finite_group(f"C_{_count(N)}", "plane", _turns(N))


def Dihedral(N: int) -> MatrixGroup:
    """Rotations of the plane by multiples of `360° / N`, then each of them after the reflection `x -> -x`.

    Raises:
        ValueError: when `N` is no whole number from 1 to 1000.
    """
    turns = _turns(_count(N))
    return finite_group(f"D_{N}", "plane", torch.cat([turns, turns @ FLIP]))


def Permutation(N: int) -> MatrixGroup:
    """All permutations of `N` points, as matrices; `components` and `elements()` list them for `N <= 7`.

    Raises:
        ValueError: when `N` is no whole number from 1 to 1000.
    """
    order = math.factorial(_count(N, fewer="take fewer points"))
    rows = list(itertools.permutations(range(N))) if order <= LISTED else [tuple(range(N))]
    eye = torch.eye(N, dtype=torch.float64)
    return MatrixGroup(
        name=f"S_{N}",
        space="index",
        generators=(),
        algebra=torch.zeros(0, N, N, dtype=torch.float64),
        components=eye[torch.tensor(rows)],
        is_compact=True,
        formulas=Permutations(N),
        elements_count=order,
    )


def Octahedral() -> MatrixGroup:
    """The 24 rotations of space that map the coordinate axes to each other, 3 x 3.

    Example:
        >>> ls.groups.Octahedral().order
        24
    """
    elements = _signed_permutations()
    return finite_group("O", "space", elements[torch.linalg.det(elements) > 0])


def SignedPermutations() -> MatrixGroup:
    """The 48 permutations and sign changes of the coordinates of space, O_h: rotations first, then reflections."""
    elements = _signed_permutations()
    return finite_group("O_h", "space", elements[torch.linalg.det(elements).argsort(descending=True, stable=True)])


def Trivial(n: int = 2, space: str = "plane") -> MatrixGroup:
    """The identity alone, as a matrix `n x n`."""
    return finite_group("trivial", space, torch.eye(_count(n), dtype=torch.float64)[None])


def cayley_table(group: Group) -> Int[Tensor, "K K"]:
    """`table[i, j]` is the index of `elements[i] @ elements[j]` in a finite group.

    Raises:
        ValueError: when the group has no list of elements.

    Example:
        >>> ls.groups.cayley_table(ls.groups.Cyclic(3))
        tensor([[0, 1, 2],
                [1, 2, 0],
                [2, 0, 1]])
    """
    if group.order != len(group.components):
        raise ValueError(f"group: {group} has no list of elements; take a finite group, such as Cyclic(4)")
    elements = group.components
    # row by row: all at once would hold a matrix for each triple of elements
    return torch.stack([_nearest(element @ elements, elements) for element in elements])


@dataclass(frozen=True, eq=False)
class Listed(Formulas):
    """A finite group of orthogonal matrices, by its elements."""

    elements: Tensor

    def inverse(self, g: Tensor) -> Tensor:
        """The transpose."""
        return g.mT

    def exp(self, a: Tensor) -> Tensor:
        """The identity."""
        return _identity(a, self.elements.shape[-1])

    def log(self, g: Tensor) -> Tensor:
        """No coordinates."""
        return g[..., 0, :0]

    def haar(self, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
        """A uniform element."""
        index = torch.randint(len(self.elements), shape, device=like.device, generator=generator)
        return constant(self.elements, like)[index]

    def log_haar(self, a: Tensor) -> Tensor:
        """0: the identity component has one element."""
        return torch.zeros(a.shape[:-1], dtype=a.dtype, device=a.device)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Whether one of the elements is as near as `atol`."""
        return (_distances(g, constant(self.elements, g)) <= atol).any(-1)

    def component(self, g: Tensor) -> Tensor:
        """The nearest element."""
        return _nearest(g, constant(self.elements, g))


@dataclass(frozen=True)
class Permutations(Formulas):
    """The symmetric group on `N` points."""

    N: int

    def inverse(self, g: Tensor) -> Tensor:
        """The transpose."""
        return g.mT

    def exp(self, a: Tensor) -> Tensor:
        """The identity."""
        return _identity(a, self.N)

    def log(self, g: Tensor) -> Tensor:
        """No coordinates."""
        return g[..., 0, :0]

    def haar(self, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
        """The order of `N` random numbers."""
        return self.sorting(torch.rand((*shape, self.N), device=like.device, generator=generator)).to(like.dtype)

    def sorting(self, u: Tensor) -> Tensor:
        """The permutation that sorts `N` numbers."""
        return torch.eye(self.N, dtype=u.dtype, device=u.device)[u.argsort(-1)]

    def log_haar(self, a: Tensor) -> Tensor:
        """0: the identity component has one element."""
        return torch.zeros(a.shape[:-1], dtype=a.dtype, device=a.device)

    def contains(self, g: Tensor, atol: float) -> Tensor:
        """Entries 0 and 1, one 1 in each row and each column."""
        binary = torch.minimum(g.abs(), (g - 1).abs()).amax((-2, -1)) <= atol
        once = torch.maximum((g.sum(-1) - 1).abs(), (g.sum(-2) - 1).abs()).amax(-1) <= atol * self.N
        return binary & once

    def component(self, g: Tensor) -> Tensor:
        """Rank of the permutation in lexicographic order, the order of `itertools.permutations` (Lehmer code)."""
        order = g.argmax(-1)
        later = torch.ones(self.N, self.N, device=g.device).triu(1).bool()
        smaller_later = ((order.unsqueeze(-2) < order.unsqueeze(-1)) & later).sum(-1)
        weights = torch.tensor([math.factorial(self.N - 1 - i) for i in range(self.N)], device=g.device)
        return (smaller_later * weights).sum(-1)


def finite_group(name: str, space: str, elements: Tensor) -> MatrixGroup:
    n = elements.shape[-1]
    return MatrixGroup(
        name=name,
        space=space,
        generators=(),
        algebra=torch.zeros(0, n, n, dtype=torch.float64),
        components=elements,
        is_compact=True,
        formulas=Listed(elements),
    )


def _signed_permutations() -> Tensor:
    eye = torch.eye(3, dtype=torch.float64)
    orders = torch.tensor(list(itertools.permutations(range(3))))
    signs = torch.tensor(list(itertools.product((1.0, -1.0), repeat=3)), dtype=torch.float64)
    return (eye[orders][:, None] * signs[None, :, :, None]).flatten(0, 1)


def _count(N: int, fewer: str = "take SO2() or O2() for all rotations") -> int:
    if isinstance(N, bool) or not isinstance(N, int):
        raise ValueError(f"N: got {N!r}, must be a whole number; Cyclic(4) has the four quarter turns")
    if not 1 <= N <= MOST:
        remedy = "Cyclic(4) has the four quarter turns" if N < 1 else fewer
        raise ValueError(f"N: got {N}, must be >= 1 and at most {MOST}; {remedy}")
    return N


def _turns(N: int) -> Tensor:
    angle = 2 * math.pi * torch.arange(_count(N), dtype=torch.float64) / N
    g = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).unflatten(-1, (2, 2))
    # Quarter turns are exact, so that actions can recognise them and permute pixels.
    whole = g.round()
    return torch.where((g - whole).abs() < 1e-14, whole + 0.0, g)


def _identity(a: Tensor, n: int) -> Tensor:
    return torch.eye(n, dtype=a.dtype, device=a.device).expand(*a.shape[:-1], n, n)


def _distances(g: Tensor, elements: Tensor) -> Tensor:
    return (g.unsqueeze(-3) - elements).abs().amax((-2, -1))


def _nearest(g: Tensor, elements: Tensor) -> Tensor:
    return _distances(g, elements).argmin(-1)
