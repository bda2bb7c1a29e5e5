"""Group convolution kernels by loops over the group, with rot90 and flip: the slow twin of the gathers."""

from __future__ import annotations

import torch
from torch import Tensor

from learnsym.groups import Group, cayley_table


def moved_image(group: Group, h: int, image: Tensor) -> Tensor:
    """`f(h^-1 u)` on the last two axes, for the `h`-th element of C_N or D_N with N in 1, 2, 4."""
    turns = group.order if group.name.startswith("C") else group.order // 2
    flipped = image.flip(-1) if h >= turns else image
    return torch.rot90(flipped, (h % turns) * 4 // turns, (-2, -1))


def group_kernel(group: Group, bank: Tensor) -> Tensor:
    """`k[o h, i g, u] = bank[o, i, h^-1 g, h^-1 u]`."""
    o, i, order, k, _ = bank.shape
    table = cayley_table(group)
    kernel = bank.new_zeros(o, order, i, order, k, k)
    for h in range(order):
        for relative in range(order):
            kernel[:, h, :, table[h, relative]] = moved_image(group, h, bank[:, :, relative])
    return kernel.flatten(2, 3).flatten(0, 1)


def lifting_kernel(group: Group, bank: Tensor) -> Tensor:
    """`k[o h, i, u] = bank[o, i, h^-1 u]`."""
    return torch.stack([moved_image(group, h, bank) for h in range(group.order)], 1).flatten(0, 1)


def gathered_by_entries(weights: Tensor, orbits: Tensor) -> Tensor:
    """`k[o a, i b, u] = weights[o, i, orbits[a, b, u]]`, entry by entry."""
    (a, b, k, _), (o, i, _) = orbits.shape, weights.shape
    kernel = weights.new_zeros(o, a, i, b, k, k)
    for at in torch.cartesian_prod(*map(torch.arange, (a, b, k, k))).tolist():
        kernel[:, at[0], :, at[1], at[2], at[3]] = weights[:, :, orbits[tuple(at)]]
    return kernel.flatten(2, 3).flatten(0, 1)
