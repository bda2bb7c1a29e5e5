"""Twins of equal size: as many parameters, or as many floating-point operations."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cache

from torch import nn


def parameter_count(network: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def matched_width(
    make: Callable[[int], nn.Module],
    target: int | float,
    largest: int = 512,
    size: Callable[[nn.Module], int | float] = parameter_count,
) -> int:
    """The width at which a network has nearest to a given size.

    Args:
        make: the network of a width; larger widths are no smaller in size.
        target: the size that there should be.
        largest: width at which the search ends.
        size: of a network; its number of parameters by default, or its FLOPs,
            `lambda network: ls.nets.cost.flops(network, x).training`.

    Raises:
        ValueError: when even the largest width is too small.

    Example:
        >>> ls.nets.matched_width(lambda width: nn.Linear(width, width), 1000)
        31
    """

    return nearest_width(lambda width: size(make(width)), target, largest)


def nearest_width(size: Callable[[int], int | float], target: int | float, largest: int = 512) -> int:
    """The width whose size is nearest to a target, see `matched_width`; the size of each width is asked for once.

    Args:
        size: of a width; larger widths are no smaller in size.
        target: the size that there should be.
        largest: width at which the search ends.

    Raises:
        ValueError: when even the largest width is too small.

    Example:
        >>> from learnsym.nets.matching import nearest_width
        >>> nearest_width(lambda width: width**2, 1000)
        32
    """
    of_width = cache(size)
    enough = 1
    while enough < largest and of_width(enough) < target:  # networks far above the target are slow to build
        enough = min(2 * enough, largest)
    width = 1 + bisect_left(range(1, enough + 1), target, lo=enough // 2, key=of_width)
    if width > largest:
        most = of_width(largest)
        raise ValueError(
            f"target: got {target:g}, width {largest} has {most:g}; must be at most that, or raise largest"
        )
    if width == 1 or of_width(width) - target < target - of_width(width - 1):
        return width
    return width - 1
