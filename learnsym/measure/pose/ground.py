"""Grounded data: images and volumes whose border is zero, as is what moves bring in from outside."""

from __future__ import annotations

from torch import Tensor

from learnsym.actions import Action
from learnsym.actions.border import border_level, fills_with_zeros


def grounded(x: Tensor, action: Action, shows: bool) -> Tensor:
    """Examples less the constant value of their border; the same examples where nothing is filled with zeros.

    Args:
        x: examples.
        action: what moves them.
        shows: whether what comes in from outside is seen, and would tell the move.

    Raises:
        ValueError: when it is seen and the border is not constant.
    """
    if not fills_with_zeros(action):
        return x
    level = border_level(x)
    if level is None and shows:
        name = type(action).__name__
        raise ValueError(
            f"x: its border is not constant, and {name}(padding='zeros') fills what comes in from outside with zeros, "
            f"which tell the move; take the background off, or move with {name}(padding='reflection')"
        )
    if level is None or not bool(level.any()):
        return x
    return x - level.view(-1, *[1] * (x.dim() - 2))
