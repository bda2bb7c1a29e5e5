"""How much of a large grid a page shows; what it leaves out is in files beside it, and the page says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

FIGURES = 8
"""Figures of one kind."""
MAP = (16, 24)
"""Numbers of examples, and sizes with lengths, of the map of the best arms."""
POINTS = 200
"""Points of an arm in the figure of loss against compute, beside the best ones that a line joins."""
REASONS = 20
"""Reasons of failures."""
VALUES = 4000
"""Values of a table, over all arms."""

T = TypeVar("T")


def spaced(values: Sequence[T], most: int) -> list[T]:
    """At most so many of some values, evenly spaced, with the first and the last.

    Example:
        >>> from learnsym.report.comparison.folding import spaced
        >>> spaced(range(100), 4), spaced("abc", 4)
        ([0, 33, 66, 99], ['a', 'b', 'c'])
    """
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def table_rows(arms: int) -> int:
    """Rows of a table with a column for each arm."""
    return max(VALUES // max(arms, 1), 2)
