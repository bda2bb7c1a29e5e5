"""Groups by name: one instance of every kind, over which tests state their laws, and groups of the plane."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch

from learnsym.groups._colour import Colour
from learnsym.groups._custom import CustomGroup
from learnsym.groups._finite import MOST, Cyclic, Dihedral, Octahedral, Permutation, SignedPermutations, Trivial
from learnsym.groups._group import Group
from learnsym.groups._hue import HueSaturation
from learnsym.groups._join import Join
from learnsym.groups._line import Translation1
from learnsym.groups._matrix_group import MatrixGroup
from learnsym.groups._planar import O2, SE2, SO2, Affine2, Scale2, Similarity2, Translation2
from learnsym.groups._product import Product
from learnsym.groups._spacetime import Lorentz
from learnsym.groups._spatial import E3, O3, SE3, SO3, AxialSO2
from learnsym.groups._young import YoungSubgroup

registry: dict[str, Callable[[], MatrixGroup]] = {
    "trivial": Trivial,
    "so2": SO2,
    "o2": O2,
    "c1": lambda: Cyclic(1),
    "c4": lambda: Cyclic(4),
    "c7": lambda: Cyclic(7),
    "d1": lambda: Dihedral(1),
    "d4": lambda: Dihedral(4),
    "d5": lambda: Dihedral(5),
    "se2": SE2,
    "similarity2": Similarity2,
    "affine2": Affine2,
    "translation1": Translation1,
    "translation2": Translation2,
    "scale2": Scale2,
    "so2_scale2": lambda: Join(SO2(), Scale2()),
    "translation2_scale2": lambda: Join(Translation2(), Scale2()),
    "o2_scale2": lambda: Join(O2(), Scale2()),
    "e2": lambda: Join(SE2(), Dihedral(1)),
    "affine2_d1": lambda: Join(Affine2(), Dihedral(1)),
    "scale2_d4": lambda: Join(Scale2(), Dihedral(1), Cyclic(4)),
    "translation2_c4": lambda: Join(Translation2(), Cyclic(4)),
    "s1": lambda: Permutation(1),
    "s4": lambda: Permutation(4),
    "s9": lambda: Permutation(9),
    "s3_x_s2_of_6": lambda: YoungSubgroup(6, [[0, 2, 3], [4, 5]]),
    "s8_of_9": lambda: YoungSubgroup(9, [[1, 2, 3, 4, 5, 6, 7, 8]]),
    "colour": Colour,
    "hue_saturation": HueSaturation,
    "so3": SO3,
    "o3": O3,
    "so2_about_z": AxialSO2,
    "so2_about_x": lambda: AxialSO2(0),
    "so2_about_111": lambda: AxialSO2((1, 1, 1)),
    "octahedral": Octahedral,
    "signed_permutations": SignedPermutations,
    "se3": SE3,
    "e3": E3,
    "lorentz": Lorentz,
    "so2_x_colour": lambda: Product(SO2(), Colour()),
    "d4_x_so3": lambda: Product(Dihedral(4), SO3()),
    "c2_x_s3": lambda: Product(Cyclic(2), Permutation(3)),
    "custom": lambda: CustomGroup(_UPPER, names=["a", "b", "c"]),
}
_UPPER = torch.tensor(  # the Heisenberg group: upper triangles with a unit diagonal
    [[[0.0, 1, 0], [0, 0, 0], [0, 0, 0]], [[0.0, 0, 0], [0, 0, 1], [0, 0, 0]], [[0.0, 0, 1], [0, 0, 0], [0, 0, 0]]]
)


def plane_group(name: str) -> Group:
    """A compact group of the plane by its name: C_N, D_N, SO(2) or O(2).

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> ls.groups.plane_group("D_4")
        D_4
    """
    finite = re.fullmatch(r"([CD])_([1-9][0-9]{0,8})", name)
    if finite:
        return (Cyclic if finite[1] == "C" else Dihedral)(int(finite[2]))
    if name in ("SO(2)", "O(2)"):
        return SO2() if name == "SO(2)" else O2()
    raise ValueError(
        f"group: got {name!r}, must be C_N or D_N with a number N up to {MOST}, SO(2) or O(2); such as C_4"
    )
