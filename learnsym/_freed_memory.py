"""Memory that a loop frees in each turn, and asks for again in the next.

The allocator of glibc gives blocks of more than 32 MB back to the kernel when they are freed, and the kernel clears
each page before it hands it out again: a step of training on a CPU with activations of that size pays for it each time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
"""Parameters of `mallopt`, of malloc.h."""
KEPT = {MMAP_MAX: 0, TRIM_THRESHOLD: -1}
"""No block by itself, and nothing is given back."""
USUAL = {MMAP_MAX: 65536, MMAP_THRESHOLD: 32 * 2**20, TRIM_THRESHOLD: 64 * 2**20}
"""The values of glibc, with the thresholds at which it arrives by itself once large blocks have been freed."""


@contextmanager
def freed_memory_is_kept() -> Iterator[None]:
    """Keep what is freed for the next turns of a loop; it is given back at the end. Nothing happens without glibc.

    Small blocks take parts of free large ones, so that the process grows by some large blocks in the first turns. An
    allocator that was set by variables of the environment is left as it is.
    """
    if _is_set_by_hand():
        yield
        return
    _set(KEPT)
    try:
        yield
    finally:
        if _set(USUAL):
            ctypes.CDLL(None).malloc_trim(0)


def _is_set_by_hand() -> bool:
    """Whether variables of the environment say what these parameters are."""
    return "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "") or any(
        f"MALLOC_{name}_" in os.environ for name in ("MMAP_MAX", "MMAP_THRESHOLD", "TRIM_THRESHOLD")
    )


def _set(values: dict[int, int]) -> bool:
    """Set parameters of the allocator; whether it has them."""
    try:
        library = ctypes.CDLL(None)
        return all(library.mallopt(name, value) for name, value in values.items())
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return False
