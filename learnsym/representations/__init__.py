"""Representations of compact groups: irreducible, regular, quotient, restricted, and what they have in common."""

from learnsym.representations._representation import Representation
from learnsym.representations._spatial import spherical_harmonics
from learnsym.representations.decomposition import (
    Component,
    basis_of,
    generating,
    intertwiners,
    invariants,
    isotypic,
    tensor_product,
)
from learnsym.representations.derived import Harmonics, Restriction
from learnsym.representations.escnn import EscnnRepresentation
from learnsym.representations.fourier import harmonics
from learnsym.representations.healpix import harmonics_on_healpix, healpix_points, nside_of
from learnsym.representations.irrep import Irrep, has_reflections, irreps, turns
from learnsym.representations.permutations import Quotient, Regular
from learnsym.representations.small_d import small_d
from learnsym.representations.sphere import (
    check_band_limit,
    colatitudes,
    harmonics_on_grid,
    highest_band_limit,
    latitude_weights,
    sphere_points,
    turned_harmonics,
)

__all__ = [
    "Component",
    "EscnnRepresentation",
    "Harmonics",
    "Irrep",
    "Quotient",
    "Regular",
    "Representation",
    "Restriction",
    "basis_of",
    "check_band_limit",
    "colatitudes",
    "generating",
    "harmonics",
    "harmonics_on_grid",
    "harmonics_on_healpix",
    "has_reflections",
    "healpix_points",
    "highest_band_limit",
    "intertwiners",
    "invariants",
    "irreps",
    "isotypic",
    "latitude_weights",
    "nside_of",
    "small_d",
    "sphere_points",
    "spherical_harmonics",
    "tensor_product",
    "turned_harmonics",
    "turns",
]
