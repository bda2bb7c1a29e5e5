"""Checks that the systems share."""

from __future__ import annotations

import math


def check_system(bodies: int, dt: float, bound: float) -> None:
    """Sizes of a system must be positive."""
    if bodies < 1:
        raise ValueError(f"bodies: got {bodies}, must be at least 1")
    if not (0 < dt < math.inf and bound > 0):
        raise ValueError(f"dt, bound: got {dt}, {bound}, must be above 0 and `dt` finite; 1e-3 and 1e5 are usual")


def check_count(count: int, name: str = "count") -> None:
    """At least one trajectory or frame."""
    if count < 1:
        raise ValueError(f"{name}: got {count}, must be at least 1")
