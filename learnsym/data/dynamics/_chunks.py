"""Chunks: a batch of trajectories in pieces that stay in the cache.

One thread: the steps are many small operations, and a second Python thread costs more in waiting than it brings.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from learnsym.data.seeding import generator

LANES = 16
"""Chunks hold a multiple of this many trajectories, so that each is computed by the same vector instructions wherever
it lies: results do not depend on the batch."""
CACHED = 32_000
"""Numbers in the largest buffer of a chunk on a CPU; below the size at which torch splits an operation."""
RESIDENT = 2**22
"""Numbers in the largest buffer of a chunk on another device."""
BLOCK = 1024
"""Initial states are drawn in whole blocks: a larger set begins with a smaller one."""


def ranges(count: int, bodies: int, device: torch.device) -> list[tuple[int, int]]:
    """First and last + 1 of each chunk of `count` trajectories, nearly equal in size."""
    rows = 3 * (bodies + bodies // 2)
    width = max((CACHED if device.type == "cpu" else RESIDENT) // rows // LANES * LANES, LANES)
    size = padded(math.ceil(count / math.ceil(count / width)))
    return [(first, min(first + size, count)) for first in range(0, count, size)]


def padded(count: int) -> int:
    """The next multiple of `LANES`."""
    return math.ceil(count / LANES) * LANES


def draw_blocks(count: int, draw: Callable[[torch.Generator], Tensor], *words: int) -> Tensor:
    """The first `count` rows of blocks of `BLOCK` rows, each drawn from a generator of its own."""
    blocks = range(math.ceil(count / BLOCK))
    return torch.cat([draw(generator(*words, block)) for block in blocks])[:count]
