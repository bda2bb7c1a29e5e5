"""Whether arrays fit into the memory of this machine: asked before they are made."""

from __future__ import annotations

import math
from collections.abc import Sequence

from learnsym._memory import memory


def check_room(name: str, shape: Sequence[int], bytes_each: int, remedy: str) -> None:
    """Raise ValueError when an array cannot be held.

    Args:
        name: of the argument that asks for it, with which the sentence begins.
        shape: its sizes.
        bytes_each: bytes of a number.
        remedy: with which the sentence ends.
    """
    needed, whole = math.prod(map(int, shape)) * bytes_each, memory()
    if needed > whole:
        sizes = " x ".join(map(str, shape))
        raise ValueError(
            f"{name}: {sizes} numbers need {_amount(needed)}, and this machine has {_amount(whole)} of memory; {remedy}"
        )


def _amount(count: int) -> str:
    return f"{count / 2**30:,.0f} GiB" if count >= 2**30 else f"{count / 2**20:,.0f} MiB"
