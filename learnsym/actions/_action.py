"""What an action is: how a group element transforms one kind of data."""

from __future__ import annotations

import abc

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.groups import Group
from learnsym.parts import WHOLE, Part


class Action(abc.ABC):
    """How a group element transforms one kind of data: image, volume, points, set, channels; or nothing (`Invariant`).

    A left action: `action(g, action(h, x)) = action(g h, x)`, exactly or up to interpolation. Actions hold no
    parameters and no tensors; they are frozen dataclasses, so that they compare, hash, copy and pickle by value.
    """

    @property
    def part(self) -> Part:
        """What of the data moves: all of it, unless the action is `On` a part."""
        return WHOLE

    @property
    def within(self) -> Action:
        """The action on the tensor that moves: itself, unless it is `On` a part."""
        return self

    @abc.abstractmethod
    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each example `x[b]` moved by its own element `g[b]`."""

    @abc.abstractmethod
    def check(self, group: Group) -> None:
        """Raise ValueError, with the remedy, when the group cannot act in this way."""

    @abc.abstractmethod
    def check_data(self, group: Group, x: Tensor) -> None:
        """Raise ValueError, with the remedy, when `x` is not a batch of the data that this action moves."""
