"""Data are checked when they first come, not at each step: a check reads values, which holds a GPU up."""

from __future__ import annotations

import torch

from learnsym._eager import in_transform
from learnsym.actions import Jointly, Nodes
from learnsym.actions.border import warn_of_border
from learnsym.parts import Whole
from learnsym.symmetry import Symmetry


class FirstBatches:
    """The check of an action on inputs, of the first batch of each shape and dtype.

    Args:
        symmetry: whose action on inputs is checked.
    """

    def __init__(self, symmetry: Symmetry) -> None:
        self.symmetry = symmetry
        self.seen: set[tuple[torch.Size, torch.dtype]] = set()

    def check(self, x: Whole) -> None:
        """Look at a new kind of batch: a warning when moves bring in zeros beside another border.

        Raises:
            ValueError: with the remedy, when it is not what the action moves.
        """
        moving = self.symmetry.moving(x)
        key = (moving.shape[1:], moving.dtype)
        if key in self.seen or torch.compiler.is_compiling() or in_transform():
            return
        on_input, group = self.symmetry.on_input, self.symmetry.group
        on_input.check_data(group, x)
        if not isinstance(on_input, Jointly | Nodes):
            warn_of_border(on_input.within, group, moving)
        self.seen.add(key)
