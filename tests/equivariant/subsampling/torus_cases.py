"""Plane groups, their levels, and poses for the tests of subsampling."""

import torch
from torch import Tensor

from learnsym import groups
from learnsym.equivariant import Cosets, FieldType, LatticePose, cosets_of
from learnsym.equivariant.subsampling.fields import by_field
from learnsym.equivariant.subsampling.gather import transported

C1, C2, C4 = groups.Cyclic(1), groups.Cyclic(2), groups.Cyclic(4)
D1, D2, D4 = groups.Dihedral(1), groups.Dihedral(2), groups.Dihedral(4)
PLANE_GROUPS = [C1, C2, C4, D1, D2, D4]
LEVELS = [(C1, C1), (C2, C1), (C4, C4), (C4, C2), (C4, C1), (D1, C1), (D2, D1), (D4, D4), (D4, D2), (D4, C4), (D4, C1)]


def random_pose(group: groups.Group, count: int, size: int) -> LatticePose:
    return LatticePose(torch.randint(size, (count, 2)), torch.randint(len(group.components), (count,)))


def whole(group: groups.Group) -> Cosets:
    return cosets_of(group, group, 1)


def moved(field_type: FieldType, pose: LatticePose, x: Tensor) -> Tensor:
    cosets = whole(field_type.group)
    return by_field(field_type, x, lambda part, _: transported(cosets, pose, part))
