"""Data are checked when they first come, not at each step: a check reads values, which holds a GPU up."""

from __future__ import annotations

import torch
from torch import Tensor

from learnsym.actions._lattice import in_transform
from learnsym.actions.border import warn_of_border
from learnsym.symmetry import Symmetry


class FirstBatches:
    """The check of an action on inputs, of the first batch of each shape and dtype.

    Args:
        symmetry: whose action on inputs is checked.
    """

    def __init__(self, symmetry: Symmetry) -> None:
        self.symmetry = symmetry
        self.seen: set[tuple[torch.Size, torch.dtype]] = set()

    def check(self, x: Tensor) -> None:
        """Look at a new kind of batch: a warning when moves bring in zeros beside another border.

        Raises:
            ValueError: with the remedy, when it is not what the action moves.
        """
        key = (x.shape[1:], x.dtype)
        if key in self.seen or torch.compiler.is_compiling() or in_transform():
            return
        self.symmetry.on_input.check_data(self.symmetry.group, x)
        warn_of_border(self.symmetry.on_input, self.symmetry.group, x)
        self.seen.add(key)
