"""Groups and symmetries that settings of methods name, before anything is built of them."""

from __future__ import annotations

import re

from learnsym._settings import shown
from learnsym.groups import Group, plane_group
from learnsym.groups._finite import MOST
from learnsym.symmetry import symmetry_by_name

MOST_TURNS = 64
"""A layer has weights for each pair of elements; far fewer turns are told apart on a grid of pixels."""


def group_named(key: str, name: str) -> Group:
    """The compact group of the plane that a setting names.

    Raises:
        ValueError: for an unknown name, or too many elements, with the setting's name.
    """
    if re.fullmatch(r"[CD]_\d+", name) and _number(name) > MOST_TURNS:
        raise ValueError(
            f"method.{key}: got {shown(name)}, must have at most {MOST_TURNS} turns; take SO(2) or O(2) for all"
        )
    try:
        return plane_group(name)
    except ValueError as error:
        raise ValueError(f"method.{key}: {_after_name(error)}") from error


def check_symmetry(key: str, name: str) -> None:
    """Refuse a name that no symmetry has.

    Raises:
        ValueError: with the setting's name.
    """
    if re.fullmatch(r"permutation\d+", name) and _number(name) > MOST:
        raise ValueError(f"method.{key}: got {shown(name)}, must be of at most {MOST} members; take fewer")
    try:
        symmetry_by_name(name)
    except ValueError as error:
        raise ValueError(f"method.{key}: {_after_name(error)}") from error


def average_fits(average: str, loss: str) -> None:
    """Raise ValueError for probabilities of classes under a loss of numbers."""
    if loss == "mse" and average != "outputs":
        raise ValueError(
            f"method.average: got {average!r} with the loss mse, which compares numbers; leave it out, or take outputs"
        )


def _number(name: str) -> int:
    """The number at the end of a name, or a large one when it has more digits than any that is of use."""
    digits = re.sub(r"\D", "", name)
    return int(digits) if len(digits) < 10 else 10**9


def _after_name(error: ValueError) -> str:
    return str(error).partition(": ")[2]
