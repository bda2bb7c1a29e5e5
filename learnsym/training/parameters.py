"""How many parameters a wide network would have, found before it is built."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from learnsym._memory import check_fits

NARROW = 256
"""Widths up to which any network is small."""
AT = (8, 16, 24)
BYTES = 16
"""Of a parameter in training: itself, its gradient and two moments, in single precision."""


def check_width(width: int, count: Callable[[int], int]) -> None:
    """Refuse a width at which the parameters alone do not fit into memory.

    Layers map channels to channels, so that the number of parameters is a polynomial of degree two in the width.

    Args:
        width: of the network that is to be built.
        count: number of parameters at a width, which builds a narrow network.

    Raises:
        ValueError: with the width and the memory that it would take.
    """
    if width <= NARROW:
        return
    parameters = np.polyval(np.polyfit(AT, [count(narrow) for narrow in AT], 2), width)
    check_fits("net.width", width, BYTES * float(parameters), "the network and its updates")
