"""The rotation label: by how much was the picture turned?"""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.actions import Image
from learnsym.equivariant import FieldType
from learnsym.groups import Dihedral, Group
from learnsym.objectives.self_supervision.pretext import Pretext
from learnsym.representations import Quotient, Regular


class RotationLabel(Pretext):
    """Which turn was made: the view is `r^k x`, the label `k`, one of the `N` turns of the group.

    The labels of `C_N` are its regular representation. Those of `D_N` are the quotient by the reflection `x -> -x`,
    since a mirrored picture counts as upright: `g r^k = r^k' h` with a reflection or the identity `h`. The invariants
    of an exact encoder do not tell turns apart: with them the loss is `log N` whatever the weights.

    Reference: the task: Gidaris, Singh, Komodakis, "Unsupervised representation learning by predicting image
    rotations" (2018), arXiv 1803.07728.

    Args:
        group: C_N or D_N with at least two turns; turns that do not map pixels to pixels are interpolated.

    Raises:
        ValueError: for another group.

    Example:
        >>> task = ls.objectives.RotationLabel(ls.groups.Cyclic(4))
        >>> views, label = task.draw(torch.rand(3, 1, 8, 8))
        >>> views.shape, task.labels
        (torch.Size([3, 1, 1, 8, 8]), C_4: 1 x regular)
    """

    name = "rotation"
    views = 1

    def __init__(self, group: Group) -> None:
        turns = _turns(group)
        if len(turns) < 2:
            raise ValueError(f"group: got {group} for the rotation label, must have at least two turns, such as C_4")
        self.group = group
        mirrored = len(turns) < len(group.components)
        self.labels = FieldType(group, ((Quotient(group, Dihedral(1)) if mirrored else Regular(group), 1),))

    def make(self, x: Float[Tensor, "B C H W"], label: Int[Tensor, "B"]) -> Float[Tensor, "B 1 C H W"]:
        """Each picture turned by the turn number `label`."""
        return Image()(_turns(self.group).to(x)[label], x).unsqueeze(1)


@lru_cache
def _turns(group: Group) -> Tensor:
    """The elements that turn, in the order of the group."""
    if group.order is None or group.space != "plane":
        raise ValueError(f"group: got {group}, must be a finite group of the plane, such as C_4")
    return group.components[torch.linalg.det(group.components) > 0]
