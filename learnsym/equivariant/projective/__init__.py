"""Projective geometric algebra G(3,0,1): points, lines and planes of space, and networks of them in real arithmetic."""

from learnsym.equivariant.projective.features import Features, embedded, gated, in_own_frame, normalised
from learnsym.equivariant.projective.layers import GeometricAttention, GeometricMLP
from learnsym.equivariant.projective.linear import MultivectorLinear
from learnsym.equivariant.projective.maps import map_basis, map_parity, maps_of
from learnsym.equivariant.projective.products import (
    Multivectors,
    dual,
    geometric_product,
    involuted,
    join,
    undual,
    wedge,
)

__all__ = [
    "Features",
    "GeometricAttention",
    "GeometricMLP",
    "MultivectorLinear",
    "Multivectors",
    "dual",
    "embedded",
    "gated",
    "geometric_product",
    "in_own_frame",
    "involuted",
    "join",
    "map_basis",
    "map_parity",
    "maps_of",
    "normalised",
    "undual",
    "wedge",
]
