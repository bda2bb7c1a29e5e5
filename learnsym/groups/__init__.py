"""Groups: batched matrices with composition, inverse, sampling and, for Lie groups, generators and an exponential.

Planar rotations are counter-clockwise with x to the right and y up. Constants of a group (`algebra`, `components`) are
float64 on the CPU; functions follow the dtype and the device of their arguments.
"""

from learnsym.groups._colour import Colour
from learnsym.groups._custom import CustomGroup
from learnsym.groups._finite import (
    Cyclic,
    Dihedral,
    Octahedral,
    Permutation,
    SignedPermutations,
    Trivial,
    cayley_table,
)
from learnsym.groups._group import Generator, Group
from learnsym.groups._hue import HueSaturation
from learnsym.groups._join import Join, compact_part
from learnsym.groups._line import Translation1
from learnsym.groups._matrix_group import MatrixGroup
from learnsym.groups._planar import O2, SE2, SO2, Affine2, Scale2, Similarity2, Translation2
from learnsym.groups._product import Product, split
from learnsym.groups._registry import plane_group, registry
from learnsym.groups._spacetime import Lorentz
from learnsym.groups._spatial import E3, O3, SE3, SO3, AxialSO2
from learnsym.groups._subgroup import Subgroup
from learnsym.groups._young import YoungSubgroup

__all__ = [
    "E3",
    "O2",
    "O3",
    "SE2",
    "SE3",
    "SO2",
    "SO3",
    "Affine2",
    "AxialSO2",
    "Colour",
    "CustomGroup",
    "Cyclic",
    "Dihedral",
    "Generator",
    "Group",
    "HueSaturation",
    "Join",
    "Lorentz",
    "MatrixGroup",
    "Octahedral",
    "Permutation",
    "Product",
    "Scale2",
    "SignedPermutations",
    "Similarity2",
    "Subgroup",
    "Translation1",
    "Translation2",
    "Trivial",
    "YoungSubgroup",
    "cayley_table",
    "compact_part",
    "plane_group",
    "registry",
    "split",
]
