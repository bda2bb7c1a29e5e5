"""Twins with equally many parameters."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from torch import nn


def parameter_count(network: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def matched_width(make: Callable[[int], nn.Module], parameters: int, largest: int = 512) -> int:
    """The width for which a network has nearest to so many parameters.

    Args:
        make: the network of a width; larger widths have more parameters.
        parameters: how many there should be.
        largest: width at which the search ends.

    Raises:
        ValueError: when even the largest width has too few.

    Example:
        >>> ls.nets.matched_width(lambda width: nn.Linear(width, width), 1000)
        31
    """

    def count(width: int) -> int:
        return parameter_count(make(width))

    width = 1 + bisect_left(range(1, largest + 1), parameters, key=count)
    if width > largest:
        most = count(largest)
        raise ValueError(
            f"parameters: got {parameters}, width {largest} has {most}; must be at most that, or raise largest"
        )
    if width == 1 or count(width) - parameters < parameters - count(width - 1):
        return width
    return width - 1
