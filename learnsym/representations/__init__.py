"""Representations of compact groups: irreducible, regular, quotient, restricted, and what they have in common."""

from learnsym.representations._representation import Representation
from learnsym.representations._spatial import spherical_harmonics
from learnsym.representations.decomposition import (
    Component,
    generating,
    intertwiners,
    invariants,
    isotypic,
    tensor_product,
)
from learnsym.representations.derived import Harmonics, Restriction
from learnsym.representations.escnn import EscnnRepresentation
from learnsym.representations.fourier import harmonics
from learnsym.representations.irrep import Irrep, has_reflections, irreps, turns
from learnsym.representations.permutations import Quotient, Regular

__all__ = [
    "Component",
    "EscnnRepresentation",
    "Harmonics",
    "Irrep",
    "Quotient",
    "Regular",
    "Representation",
    "Restriction",
    "generating",
    "harmonics",
    "has_reflections",
    "intertwiners",
    "invariants",
    "irreps",
    "isotypic",
    "spherical_harmonics",
    "tensor_product",
    "turns",
]
