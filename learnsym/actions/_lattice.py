"""The exact path: quarter turns and flips move pixels onto pixels and need no interpolation."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from learnsym._eager import in_transform

ATOL = 1e-6
AXIS_SIGN = (1, -1, 1)
"""Direction of the array axes x, y, z (the last, the one before, ...): rows run downwards while y points up."""

Move = tuple[tuple[int, ...], tuple[int, ...]]
"""A permutation of the spatial axes and the axes to reverse after it, both as offsets of the last axis."""


def act_on_lattice(x: Tensor, g: Tensor) -> Tensor | None:
    """`x` moved bit for bit when every element is a signed permutation of the axes that fits its shape, else None.

    The elements are read back on the host, which waits for a GPU. So in training there, where gradients are recorded,
    nothing is read and the answer is None: interpolation gives the same up to rounding.
    """
    if not readable(g):
        return None
    rounded = g.round()
    if not bool(((g - rounded).abs() <= ATOL).all()):
        return None
    examples: dict[tuple[float, ...], list[int]] = {}
    for b, entries in enumerate(rounded.flatten(1).tolist()):
        examples.setdefault(tuple(entries), []).append(b)
    moves = [_move(entries, g.shape[-1], tuple(x.shape[2:])) for entries in examples]
    if any(move is None for move in moves):
        return None
    return _apply(x, [move for move in moves if move is not None], list(examples.values()))


def _apply(x: Tensor, moves: list[Move], examples: list[list[int]]) -> Tensor:
    """Each group of examples moved by its own permutation, in the order of the batch."""
    if len(moves) == 1:
        return _permute(x, moves[0]).clone(memory_format=torch.contiguous_format)
    order = torch.tensor(list(itertools.chain(*examples)), device=x.device)
    parts = x[order].split([len(e) for e in examples])
    return torch.cat([_permute(part, move) for part, move in zip(parts, moves, strict=True)])[order.argsort()]


def _permute(x: Tensor, move: Move) -> Tensor:
    axes, flips = move
    return x.permute(0, 1, *(x.ndim - 1 - a for a in reversed(axes))).flip([x.ndim - 1 - a for a in flips])


def _move(entries: tuple[float, ...], n: int, shape: tuple[int, ...]) -> Move | None:
    """How a matrix with integer entries moves an array of `shape`; None when it does not map pixels onto pixels."""
    d = len(shape)
    rows = [entries[i * n : i * n + n] for i in range(d)]
    axes = [[j for j in range(n) if row[j]] for row in rows]
    if any(len(a) != 1 for a in axes) or sorted(a[0] for a in axes) != list(range(d)):
        return None
    source = tuple(a[0] for a in axes)
    if any(abs(rows[i][j]) != 1 or shape[-1 - i] != shape[-1 - j] for i, j in enumerate(source)):
        return None
    # (g^-1 u)_j = s u_i for the entry s at (i, j): output axis i is input axis j, reversed when the signs disagree
    return source, tuple(i for i, j in enumerate(source) if rows[i][j] * AXIS_SIGN[i] * AXIS_SIGN[j] < 0)


def readable(g: Tensor) -> bool:
    """Whether the values of `g` may decide the path: no gradient, trace, compiler or transform needs them."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return False
    if g.device.type == "meta" or type(g) not in (Tensor, torch.nn.Parameter):
        return False
    needed = g.requires_grad or g.device.type != "cpu"  # by the gradient, by a step that must not wait
    return not (needed and torch.is_grad_enabled()) and not in_transform()
