"""How fast a group moves a vector, direction by direction, and how far what is left of one can be moved.

Legend of axes: `d` entries of a vector, `K` directions that move, `R` generators, `P` elements of a finite group.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group, cayley_table

STILL = 1e-8
"""Speed below which a direction counts as unmoved."""


@dataclass(frozen=True)
class Directions:
    """Orthonormal directions of a vector that a group moves, each with its speed; what they leave out is unmoved."""

    speeds: Float[Tensor, "K"]
    basis: Float[Tensor, "d K"]


def moving_directions(differences: Float[Tensor, "R d d"]) -> Directions:
    """The directions in which generators of a group move a vector, fastest first, by one decomposition of all of them.

        L = (L_1; ...; L_R) = U diag(σ) Vᵀ,    |L w|² = Σ_k σ_k² (v_k·w)²

    The null space of the stacked matrix holds what *all* generators leave fixed, exactly. Projections onto the vectors
    of one generator after the other come near it only slowly, and not at all after a fixed number of sweeps.

    Reference: Rahman, Lim, Jiang, Lim, Yeh, "Soft equivariance" (2026), arXiv 2603.26657, for the singular vectors of
    one generator.

    Args:
        differences: `L_r`, what one generator does to a vector: `T(g_r) - I` for an element, `dT(A_r)` for a generator
            of a Lie algebra.

    Example:
        >>> from learnsym.relax.softness.speeds import moving_directions
        >>> exchange = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> moving_directions(exchange[None] - torch.eye(2)).speeds  # of (1, -1)
        tensor([2.], dtype=torch.float64)
    """
    _, speeds, rows = torch.linalg.svd(differences.double().flatten(0, 1), full_matrices=False)
    moving = speeds > STILL
    return Directions(speeds[moving], rows[moving].mT.contiguous())


@lru_cache
def generating_elements(group: Group) -> tuple[int, ...]:
    """Numbers of elements of `group.components` that generate them all, each one not made of those before it."""
    table = cayley_table(group).tolist()
    identity = next(k for k, row in enumerate(table) if row[k] == k)
    chosen: list[int] = []
    reached = {identity}
    for k in range(len(table)):
        if k not in reached:
            chosen.append(k)
            reached = set(_words(table, identity, chosen))
    return tuple(chosen)


@lru_cache
def reach(group: Group) -> float:
    """How many generators lie between the identity and the farthest element: the radius `r` of a bound.

    With orthogonal matrices `T` and `L` the stacked generators, every element of the group has

        |T(g) w - w| <= r |L w|

    A word with `n_j` letters `g_j` or their inverses changes `w` by at most `Σ_j n_j |L_j w| <= |n| |L w|`; and along
    `exp(tA)` a vector moves with the constant speed `|dT(A) w|`, so that no higher order is left out. So `r` is the
    largest `|n|` over words for the elements of a finite group, and `π`, the largest angle, for rotations.

    Raises:
        ValueError: for another group than a finite one with listed elements, SO(2), O(2), SO(3) or O(3).

    Example:
        >>> from learnsym.relax.softness.speeds import reach
        >>> reach(ls.groups.Cyclic(4)), round(reach(ls.groups.SO3()), 4)
        (2.0, 3.1416)
    """
    check_group(group)
    if group.order is None:
        return math.hypot(math.pi, len(group.components) - 1)
    table = cayley_table(group).tolist()
    identity = next(k for k, row in enumerate(table) if row[k] == k)
    return max(math.hypot(*counts) for counts in _words(table, identity, list(generating_elements(group))).values())


def check_group(group: Group) -> None:
    """Raise ValueError for a group for which no radius is known."""
    if group.name in ("SO(2)", "O(2)", "SO(3)", "O(3)") or group.order == len(group.components):
        return
    raise ValueError(
        f"group: got {group}, must be SO(2), O(2), SO(3), O(3) or a finite group with a list of elements; take C_4 or "
        "D_4 for pixels"
    )


def _words(table: list[list[int]], identity: int, letters: list[int]) -> dict[int, tuple[int, ...]]:
    """For each element that some letters make, how often each of them or its inverse stands in a shortest word."""
    inverses = [next(k for k, entry in enumerate(table[letter]) if entry == identity) for letter in letters]
    found = {identity: (0,) * len(letters)}
    waiting = deque([identity])
    while waiting:
        element = waiting.popleft()
        for j, pair in enumerate(zip(letters, inverses, strict=True)):
            for letter in pair:
                following = table[element][letter]
                if following not in found:
                    found[following] = tuple(n + (i == j) for i, n in enumerate(found[element]))
                    waiting.append(following)
    return found
