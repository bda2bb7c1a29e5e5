"""The action on one part of structured data."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.groups import Group
from learnsym.parts import Part, Whole
from learnsym.ragged import Ragged


@dataclass(frozen=True)
class On(Action):
    """One part of a dict, tuple or other structure moves, and all else stays: `(x, rest) -> (g·x, rest)`.

    Args:
        key: of the part, see `learnsym.parts.Part`; of a part of a part, with a dot between the two.
        action: on that part.

    Raises:
        ValueError: without a key, or for an action that is on a part itself.

    Example:
        >>> turn = ls.actions.On("image", ls.actions.Image())
        >>> half = -torch.eye(2)[None]
        >>> turn(half, {"image": torch.tensor([[[[0.0, 1.0]]]]), "age": torch.tensor([7])})
        {'image': tensor([[[[1., 0.]]]]), 'age': tensor([7])}
    """

    key: str
    action: Action

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("key: got '', must name a part; give the action alone for data that are one tensor")
        if isinstance(self.action, On):
            key = f"{self.key}.{self.action.key}"
            raise ValueError(f"action: got {self.action}, which is on a part itself; give one action the key {key!r}")

    @property
    def part(self) -> Part:
        """The part that moves."""
        return Part(self.key, "symmetry")

    @property
    def within(self) -> Action:
        """The action on that part."""
        return self.action

    def __call__(self, g: Float[Tensor, "B n n"], x: Whole) -> Whole:
        """The same structure with its part moved."""
        return self.part.put(x, self.action(g, self.part.get(x)))

    def check(self, group: Group) -> None:
        """The action must fit."""
        self.action.check(group)

    def check_data(self, group: Group, x: Whole) -> None:
        """The part must be there, and fit the action; nodes of clouds do not change places without their mask."""
        if isinstance(x, Ragged) and group.space == "index":
            raise ValueError(f"symmetry: moves {self.key} of nodes without their mask; take the action Nodes() instead")
        self.action.check_data(group, self.part.get(x))
