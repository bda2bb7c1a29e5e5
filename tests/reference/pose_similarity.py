"""Similarity modulo a group, one pair and one element at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from learnsym.equivariant import FieldType
from learnsym.groups import Group


def slow_scores(group: Group, z: Tensor, w: Tensor) -> Tensor:
    """`<z_b, ρ(g) w_d>` with the matrices of the representation."""
    fields = FieldType.regular(group, z.shape[1] // len(group.components))
    moved = torch.stack([fields.mix(g.expand(len(w), 2, 2).to(w), w) for g in group.components], 1)
    return torch.stack([torch.stack([(a * b).sum(-1) for b in moved]) for a in z])
