"""Symmetry: the one object that every learner, every measure and every test takes."""

from __future__ import annotations

from dataclasses import dataclass

from learnsym.actions import Action, Invariant
from learnsym.groups import Group


@dataclass(frozen=True)
class Symmetry:
    """A group with an action on inputs and an action on outputs: the statement `f(g·x) = g·f(x)`.

    Args:
        group: the group.
        on_input: how its elements move inputs.
        on_output: how they move outputs; `Invariant()` for a classifier.

    Raises:
        ValueError: when an action does not fit the group.

    Example:
        >>> symmetry = ls.Symmetry(ls.groups.SO2(), on_input=ls.actions.Image(), on_output=ls.actions.Invariant())
        >>> symmetry.name
        'SO(2)'
    """

    group: Group
    on_input: Action
    on_output: Action = Invariant()

    def __post_init__(self) -> None:
        self.on_input.check(self.group)
        self.on_output.check(self.group)

    @property
    def name(self) -> str:
        """Name of the group."""
        return self.group.name
