"""Exactly equivariant layers: the end of the line where all symmetry holds."""

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.feature_field import FeatureField
from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.lattice.conv import GroupConv2d
from learnsym.equivariant.lattice.orbits import group_kernel, kernel_orbits
from learnsym.equivariant.projection import kernel_distance, nearest_kernel, projected
from learnsym.equivariant.steerable.conv import SteerableConv

__all__ = [
    "Constant",
    "FeatureField",
    "FieldType",
    "GroupConv2d",
    "SteerableConv",
    "group_kernel",
    "kernel_distance",
    "kernel_orbits",
    "nearest_kernel",
    "projected",
]
