"""The registry: one instance of every kind of group, over which tests state their laws."""

from __future__ import annotations

from collections.abc import Callable

from learnsym.groups._colour import Colour
from learnsym.groups._finite import Cyclic, Dihedral, Permutation, Trivial
from learnsym.groups._group import Group
from learnsym.groups._planar import O2, SE2, SO2, Affine2, Scale2, Similarity2, Translation2

registry: dict[str, Callable[[], Group]] = {
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
    "translation2": Translation2,
    "scale2": Scale2,
    "s1": lambda: Permutation(1),
    "s4": lambda: Permutation(4),
    "s9": lambda: Permutation(9),
    "colour": Colour,
}
