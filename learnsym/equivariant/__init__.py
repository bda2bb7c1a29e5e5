"""Exactly equivariant layers: the end of the line where all symmetry holds."""

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.feature_field import FeatureField
from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.steerable.conv import SteerableConv

__all__ = ["Constant", "FeatureField", "FieldType", "SteerableConv"]
