"""Uniform numbers for a batch that several processes share.

Each process draws the numbers of the whole batch from the same seed and keeps those of its own examples, so that an
example gets the same element however many processes there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

_part = (0, 1)
_rows: tuple[slice, int] | None = None


@contextmanager
def part_of_batch(rank: int, world: int) -> Iterator[None]:
    """Within the context, `uniform_noise` takes its batch axis to be part `rank` of `world` equal parts."""
    global _part
    saved, _part = _part, (rank, world)
    try:
        yield
    finally:
        _part = saved


def parts() -> int:
    """Into how many equal parts the batch is split."""
    return _part[1]


@contextmanager
def rows_of_batch(rows: slice, count: int) -> Iterator[None]:
    """Within, noise is drawn for a whole batch of `count` examples, and that of some of its rows is given.

    The rows of a batch that are taken one after the other, each time from the same state of the generator, get what all
    of them would get at once.
    """
    global _rows
    before, _rows = _rows, (rows, count)
    try:
        yield
    finally:
        _rows = before


def uniform_noise(shape: Sequence[int], like: Tensor, *, batch_axis: int) -> Tensor:
    """Uniform numbers in [0, 1) of a shape, with the dtype and device of `like`.

    Example:
        >>> whole = ls.distributions.uniform_noise((3, 4), torch.zeros(()), batch_axis=1)
        >>> whole.shape
        torch.Size([3, 4])
    """
    rank, world = _part
    if _rows is not None:
        whole = [*shape]
        whole[batch_axis] = _rows[1]
        index = [slice(None)] * batch_axis
        return torch.rand(whole, dtype=like.dtype, device=like.device)[(*index, _rows[0])]
    size = shape[batch_axis]
    whole = [*shape]
    whole[batch_axis] = size * world
    u = torch.rand(whole, dtype=like.dtype, device=like.device)
    return u if world == 1 else u.narrow(batch_axis, rank * size, size)


def random_examples(count: int, size: int, device: torch.device) -> Tensor:
    """Indices of random examples, drawn with replacement: this process's part of `size` of them, of `count`.

    Raises:
        ValueError: when the processes cannot take equal parts.

    Example:
        >>> ls.distributions.noise.random_examples(5, 3, torch.device("cpu")).shape
        torch.Size([3])
    """
    rank, world = _part
    if size % world:
        raise ValueError(f"size: got {size} examples for {world} processes; must be a multiple of their number")
    return torch.randint(count, (size,), device=device).chunk(world)[rank]
