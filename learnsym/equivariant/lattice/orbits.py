"""Which entries of a kernel on the pixel lattice are one and the same free weight.

Legend of axes: `G` elements of the group, `o`, `i` fields out and in, `a`, `b` their components, `k` pixels along an
axis, `K` free weights.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.equivariant.memory_order import fastest_by_pixels
from learnsym.equivariant.steerable.scalar_basis import positions
from learnsym.groups import Group
from learnsym.representations import Regular, Representation


@lru_cache
def kernel_orbits(source: Representation, target: Representation, kernel_size: int) -> Int[Tensor, "a b k k"]:
    """The orbit, `0 ... K - 1`, of each entry `(a, b, u)` of a kernel under `g (a, b, u) = (g a, g b, g u)`.

    For representations that permute, and groups that permute pixels, a kernel is equivariant exactly when it is
    constant on orbits. Orbits are in the order of their first entry, so that for a regular target `K = b k k` and the
    weights are the kernel of the identity, `k(e, b, u)`.

    Args:
        source, target: representations `(b, b)` and `(a, a)` of one finite group, both permutations.
        kernel_size: `k`.

    Raises:
        ValueError: for a group or a representation that does not permute.
    """
    check_lattice(source.group)
    group, n = source.group, kernel_size**2
    a, b, u = _moved(target), _moved(source), moved_pixels(group, kernel_size)
    entries = (a[:, :, None, None] * source.size + b[:, None, :, None]) * n + u[:, None, None, :]
    first = entries.amin(0)
    return torch.unique(first, return_inverse=True)[1].unflatten(-1, (kernel_size, kernel_size))


@lru_cache
def component_orbits(representation: Representation) -> Int[Tensor, "a"]:
    """The orbit of each component of a field: one for all of a regular or quotient field."""
    return torch.unique(_moved(representation).amin(0), return_inverse=True)[1]


def gathered(weights: Tensor, orbits: Tensor) -> Tensor:
    """The ordinary kernel `(oa, ib, k, k)` with a free weight `(o, i, K)` for each orbit `(a, b, k, k)`.

    `k[o a, i b, u] = weights[o, i, orbits[a, b, u]]`, channels last on a CPU, where rows of all `i` are gathered.
    """
    if not fastest_by_pixels(weights):
        blocks = weights.index_select(2, orbits.flatten()).unflatten(2, orbits.shape)
        return blocks.transpose(1, 2).flatten(2, 3).flatten(0, 1)
    a, b, k, _ = orbits.shape
    # (o, i, K) -> (o, a k k b, i) -> (o a, k, k, i b)
    rows = weights.mT.contiguous().index_select(1, orbits.permute(0, 2, 3, 1).flatten())
    blocks = rows.unflatten(1, (a, k, k, b)).transpose(4, 5)
    return blocks.flatten(4, 5).flatten(0, 1).permute(0, 3, 1, 2)


def orbit_means(
    kernel: Float[Tensor, "oa ib k k"], orbits: Int[Tensor, "a b k k"], count: int | None = None
) -> Float[Tensor, "o i K"]:
    """The weights of the equivariant kernel nearest to a kernel: means over orbits, a left inverse of `gathered`.

    Their number `count` is read from the orbits when None, which waits for a GPU.
    """
    count = int(orbits.max()) + 1 if count is None else count
    a, b = orbits.shape[:2]
    entries = kernel.unflatten(1, (-1, b)).unflatten(0, (-1, a)).transpose(1, 2).flatten(2)
    index = orbits.flatten()
    sums = entries.new_zeros(*entries.shape[:2], count).index_add(2, index, entries)
    return sums / entries.new_zeros(count).index_add(0, index, entries.new_ones(len(index)))


def group_kernel(group: Group, bank: Float[Tensor, "o i G k k"]) -> Float[Tensor, "oG iG k k"]:
    """The ordinary kernel between regular fields: `k[o h, i g, u] = bank[o, i, h^-1 g, h^-1 u]`.

    Elements are in the order of `group.components`; `bank` is the kernel of the output at the identity. A bank of free
    kernels for other groups than those of the lattice needs `SteerableConv`.

    Reference: Cohen, Welling, "Group equivariant convolutional networks" (2016), arXiv 1602.07576.

    Example:
        >>> ls.equivariant.group_kernel(ls.groups.Cyclic(4), torch.rand(2, 3, 4, 5, 5)).shape
        torch.Size([8, 12, 5, 5])
    """
    regular = Regular(group)
    return gathered(bank.flatten(2), kernel_orbits(regular, regular, bank.shape[-1]).to(bank.device))


@lru_cache
def moved_pixels(group: Group, kernel_size: int) -> Int[Tensor, "G n"]:
    """The pixel, of `n = k k` in rows, to which each element of the group moves each pixel of a kernel."""
    check_lattice(group)
    if kernel_size < 1:
        raise ValueError(f"kernel_size: got {kernel_size}, must be at least 1; 3 and 5 are usual")
    u = positions(kernel_size, 2).flatten(0, 1)
    distances = (torch.einsum("gij,nj->gni", group.components, u)[:, :, None] - u).abs().amax(-1)
    return distances.argmin(-1)


def check_lattice(group: Group) -> None:
    """Raise ValueError for a group that does not map pixels to pixels."""
    whole = group.components.round()
    if group.space != "plane" or group.order is None or bool((group.components != whole).any()):
        raise ValueError(
            f"in_type: {group} does not map pixels to pixels, must be C_1, C_2, C_4, D_1, D_2 or D_4; "
            f"use SteerableConv for other groups"
        )


def _moved(representation: Representation) -> Int[Tensor, "G d"]:
    """The component to which each element of the group moves each component."""
    if not representation.is_permutation:
        raise ValueError(
            f"in_type, out_type: got {representation!r}, must be trivial, regular or quotient fields, which permute; "
            f"use SteerableConv for others"
        )
    return representation(representation.group.components).argmax(-2)
